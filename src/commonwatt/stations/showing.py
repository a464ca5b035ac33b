"""Stations as JSON values, the same for the API and the command line."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, TypedDict, cast

from commonwatt.kernel import Instant
from commonwatt.kit.web import ShownOnce
from commonwatt.stations.queries import ConnectorView, FrameView, QuirkView, SettingView, StationView


class StationShown(TypedDict):
    """A station; null for what never happened or was never said. `drift_ms` is its clock minus ours."""

    identity: str
    name: str
    state: str
    connected: bool
    has_password: bool
    waivers: list[str]
    vendor: str | None
    model: str | None
    serial: str | None
    firmware: str | None
    status: str | None
    error_code: str | None
    address: str | None
    protocol: str | None
    made: Instant
    admitted: Instant | None
    boot: Instant | None
    seen: Instant | None
    connected_since: Instant | None
    disconnected: Instant | None
    drift_ms: int | None
    ping_ms: int | None


class ConnectorShown(TypedDict):
    """A connector; `status` is what it last said, `state` the same while its station is there, else Offline."""

    station: str
    number: int
    name: str
    label: str
    status: str
    error_code: str
    info: str
    vendor_error: str
    since: Instant
    reported: Instant | None
    online: bool
    station_name: str
    station_state: str
    state: str


class QuirkShown(TypedDict):
    """Something that a station does slightly wrong, and how often."""

    slug: str
    detail: str
    count: int
    first: Instant
    last: Instant


class SettingShown(TypedDict):
    """A configuration key as the station last told it."""

    key: str
    value: str | None
    readonly: bool
    read: Instant


class FrameShown(TypedDict):
    """A frame as it was stored, without passwords; for who may not see id tags, without them."""

    id: int
    station: str
    at: Instant
    direction: str
    kind: str
    action: str
    message_id: str
    text: str


class WholeStation(StationShown):
    """A station with all that belongs to it."""

    connectors: list[ConnectorShown]
    quirks: list[QuirkShown]
    configuration: list[SettingShown]


class AddedStation(ShownOnce):
    """A station just made known, with its password, this once; null where it has none, and for a repetition."""

    station: StationShown
    password: str | None


class PasswordShown(ShownOnce):
    """A fresh password, this once; null in the answer to a repetition."""

    password: str | None


class CommandAnswered(TypedDict):
    """What a station answered: the payload of its CALLRESULT, with secrets hidden."""

    result: dict[str, Any]


def shown_station(view: StationView) -> StationShown:
    """Return a station as programs see it."""
    return cast("StationShown", timed(asdict(view)))


def shown_connector(view: ConnectorView) -> ConnectorShown:
    """Return a connector as programs see it."""
    return cast("ConnectorShown", timed(asdict(view)) | {"state": view.state})


def shown_quirk(view: QuirkView) -> QuirkShown:
    """Return a quirk as programs see it."""
    return cast("QuirkShown", timed(asdict(view)))


def shown_setting(view: SettingView) -> SettingShown:
    """Return a configuration key as programs see it."""
    return cast("SettingShown", timed(asdict(view)))


def shown_frame(view: FrameView) -> FrameShown:
    """Return a frame as programs see it."""
    return cast("FrameShown", timed(asdict(view)))


def timed(values: dict[str, Any]) -> dict[str, Any]:
    """Write instants as such: `seen_ms` becomes `seen`; spans (drift, ping) stay in ms."""
    shown: dict[str, Any] = {}
    for key, value in values.items():
        if key.endswith("_ms") and key not in {"drift_ms", "ping_ms"}:
            shown[key.removesuffix("_ms") if key != "connected_ms" else "connected_since"] = (
                None if value is None else Instant(value)
            )
        else:
            shown[key] = value
    return shown

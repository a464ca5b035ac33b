"""What a demo needs of the configuration: play money, open stations on this machine, quick readings, free ports."""

from __future__ import annotations

from dataclasses import replace

from commonwatt.main.config import Address, Config, StationAuth, UnknownStations

FIRST_HTTP, FIRST_STATIONS = 8080, 8180
NAME = "Commonwatt demo"
SET_BY_DEMO = frozenset({
    "site.name", "http.bind", "stations.bind", "stations.auth", "stations.unknown", "payments.rails",
    "charging.sample_s",
})  # fmt: skip
"""Keys that the demo sets, whatever a file says."""


def demo_config(config: Config, http: Address | None = None, stations: Address | None = None) -> Config:
    """Return the configuration with what a demo needs: play money, open stations on this machine, quick readings."""
    return replace(
        config,
        site=replace(config.site, name=NAME),
        http=replace(config.http, bind=http or Address("127.0.0.1", FIRST_HTTP, or_free=True)),
        stations=replace(
            config.stations,
            bind=stations or Address("127.0.0.1", FIRST_STATIONS, or_free=True),
            auth=StationAuth.OPEN_FOR_TRIAL,
            unknown=UnknownStations.WAITING_ROOM,
        ),
        payments=replace(config.payments, rails=("sandbox",)),
        charging=replace(config.charging, sample_s=5),
    )


def is_demo(config: Config) -> bool:
    """Whether a configuration is one that the demo made."""
    return config.site.name == NAME and config.stations.auth is StationAuth.OPEN_FOR_TRIAL

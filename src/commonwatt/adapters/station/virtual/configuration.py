"""The station's configuration keys (OCPP 1.6, section 9), of which it obeys every one that it lets others change."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

_KEYS_AT_ONCE: Final = 50
_KEY_MAX: Final = 50
MEASURANDS: Final = (
    "Energy.Active.Import.Register",
    "Power.Active.Import",
    "Current.Import",
    "Voltage",
    "SoC",
)
"""What its meter can tell (OCPP 1.6, 7.31)."""


class Kind(Enum):
    """What a value has to look like."""

    FIXED = "read-only"
    SECONDS = "a whole number, 0 or more"
    BOOLEAN = "true or false"
    MEASURANDS = "a list of measurands"


@dataclass(frozen=True, slots=True)
class Key:
    """A key's kind and its value when the station leaves the factory."""

    kind: Kind
    value: str


FACTORY: Final[dict[str, Key]] = {
    "AllowOfflineTxForUnknownId": Key(Kind.BOOLEAN, "false"),
    "AuthorizationCacheEnabled": Key(Kind.BOOLEAN, "true"),
    "AuthorizeRemoteTxRequests": Key(Kind.BOOLEAN, "false"),
    "ClockAlignedDataInterval": Key(Kind.FIXED, "0"),
    "ConnectionTimeOut": Key(Kind.SECONDS, "60"),
    "ConnectorPhaseRotation": Key(Kind.FIXED, "NotApplicable"),
    "GetConfigurationMaxKeys": Key(Kind.FIXED, str(_KEYS_AT_ONCE)),
    "HeartbeatInterval": Key(Kind.SECONDS, "300"),
    "LocalAuthorizeOffline": Key(Kind.BOOLEAN, "true"),
    "LocalPreAuthorize": Key(Kind.FIXED, "false"),
    "MeterValuesAlignedData": Key(Kind.FIXED, ""),
    "MeterValuesSampledData": Key(Kind.MEASURANDS, ",".join(MEASURANDS)),
    "MeterValueSampleInterval": Key(Kind.SECONDS, "60"),
    "NumberOfConnectors": Key(Kind.FIXED, "1"),
    "ResetRetries": Key(Kind.FIXED, "0"),
    "StopTransactionOnEVSideDisconnect": Key(Kind.FIXED, "true"),
    "StopTransactionOnInvalidId": Key(Kind.BOOLEAN, "true"),
    "StopTxnAlignedData": Key(Kind.FIXED, ""),
    "StopTxnSampledData": Key(Kind.MEASURANDS, ""),
    "SupportedFeatureProfiles": Key(Kind.FIXED, "Core,RemoteTrigger"),
    "TransactionMessageAttempts": Key(Kind.SECONDS, "3"),
    "TransactionMessageRetryInterval": Key(Kind.SECONDS, "10"),
    "UnlockConnectorOnEVSideDisconnect": Key(Kind.FIXED, "true"),
}


class Configuration:
    """The present values; what an operator changed survives a restart."""

    def __init__(self, connectors: int, changed: dict[str, str] | None = None) -> None:
        """Begin with the factory's values and what was changed since."""
        self.changed = changed or {}
        self._fixed = {"NumberOfConnectors": str(connectors)}

    def text(self, name: str) -> str:
        """Return a key's value."""
        return self._fixed.get(name) or self.changed.get(name, FACTORY[name].value)

    def seconds(self, name: str) -> int:
        """Return a value that is a number."""
        return int(self.text(name))

    def is_on(self, name: str) -> bool:
        """Return a value that is true or false."""
        return self.text(name) == "true"

    def measurands(self, name: str) -> tuple[str, ...]:
        """Return a value that is a list of measurands."""
        return tuple(part for part in self.text(name).split(",") if part)

    def change(self, name: str, value: str) -> str:
        """Set a value; return Accepted, Rejected or NotSupported (OCPP 1.6, 7.22)."""
        key = FACTORY.get(name)
        if key is None:
            return "NotSupported"
        match key.kind:
            case Kind.FIXED:
                return "Rejected"
            case Kind.SECONDS:
                if not (value.isascii() and value.isdigit() and len(value) < 10):  # noqa: PLR2004 (below 32 bits)
                    return "Rejected"
            case Kind.BOOLEAN:
                value = value.lower()
                if value not in {"true", "false"}:
                    return "Rejected"
            case Kind.MEASURANDS:
                parts = [part.strip() for part in value.split(",") if part.strip()]
                if not set(parts) <= set(MEASURANDS):
                    return "Rejected"
                value = ",".join(parts)
        self.changed[name] = value
        return "Accepted"

    def read(self, names: list[str]) -> dict[str, Any]:
        """Answer GetConfiguration (OCPP 1.6, 5.8): the named keys, or all when none is named."""
        wanted = names or list(FACTORY)
        known = [name for name in wanted if name in FACTORY]
        answer: dict[str, Any] = {
            "configurationKey": [
                {"key": name, "readonly": FACTORY[name].kind is Kind.FIXED, "value": self.text(name)} for name in known
            ]
        }
        unknown = [name[:_KEY_MAX] for name in wanted if name not in FACTORY]
        if unknown:
            answer["unknownKey"] = unknown
        return answer

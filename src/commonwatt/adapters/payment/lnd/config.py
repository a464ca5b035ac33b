"""How to reach an LND node: its REST address, a macaroon and the certificate to pin."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from commonwatt.kernel import Refused

_HEX = re.compile(r"[0-9a-fA-F]{2,8192}")


class NodeSettingsRefused(Refused):
    """The settings of a Lightning node cannot be used as they stand."""

    slug = "node-settings-refused"
    title = "The settings of the Lightning node cannot be used"
    status = 422


@dataclass(frozen=True, slots=True)
class LndConfig:
    """One LND node.

    `macaroon_hex` and `tls_cert_path` are what `lnd` writes as `*.macaroon` (in hexadecimal) and `tls.cert`. The
    certificate is pinned: no other is accepted, whatever its name says. Without one, the system's authorities decide.
    """

    url: str
    """The REST address, `https://host:8080`."""
    macaroon_hex: str = field(repr=False)
    tls_cert_path: Path | None = None
    timeout_s: float = 10.0
    """How long one answer may take before it counts as lost."""
    route_hints: bool = False
    """Put private channels into invoices; needed by nodes that have no public ones."""
    streams_max: int = 128
    """How many held invoices are followed by a stream each; more are looked up in turns."""

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.url)
            _ = parts.port  # raises for what is no port
        except ValueError as error:
            raise NodeSettingsRefused(f"{self.url!r} is no address: {error}. Write it as https://host:8080.") from error
        if parts.scheme not in {"https", "http"} or not parts.hostname or parts.path not in {"", "/"} or parts.query:
            raise NodeSettingsRefused(f"{self.url!r} is no REST address of a node. Write it as https://host:8080.")
        if parts.scheme == "http" and not _is_loopback(parts.hostname):
            raise NodeSettingsRefused(
                f"{self.url!r} would send the macaroon in clear text. Use https; plain http is for this machine only."
            )
        if parts.username or parts.password:
            raise NodeSettingsRefused("A node's address carries no user or password; the macaroon is the key.")
        if not _HEX.fullmatch(self.macaroon_hex) or len(self.macaroon_hex) % 2:
            raise NodeSettingsRefused(
                "The macaroon is not hexadecimal. Name the macaroon file, or give `xxd -p -c 9999 invoice.macaroon`."
            )

    @classmethod
    def from_files(
        cls, url: str, macaroon_path: Path, tls_cert_path: Path | None, *, route_hints: bool = False
    ) -> LndConfig:
        """Read the macaroon file of a node; raises NodeSettingsRefused when a file cannot be read."""
        try:
            macaroon = macaroon_path.read_bytes().hex()
            if tls_cert_path is not None:
                tls_cert_path.read_bytes()
        except OSError as error:
            raise NodeSettingsRefused(
                f"{error.filename} cannot be read ({error.strerror}). Copy the file from the node and let this user "
                "read it."
            ) from error
        return cls(url, macaroon, tls_cert_path, route_hints=route_hints)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

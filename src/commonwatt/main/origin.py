"""Addresses as browsers write an origin: WebAuthn and `Origin` are compared letter by letter (RFC 6454, 6.2)."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

_USUAL_PORTS = {"http": 80, "https": 443}
_AMBIGUOUS = frozenset("ßς\u200c\u200d")
"""Letters that IDNA 2003 and 2008 write differently: which one a browser takes cannot be guessed here."""


def is_origin(url: str, schemes: set[str]) -> bool:
    """Whether an address is one of these schemes, a host and perhaps a port, and nothing else."""
    try:
        parts = urlsplit(url)
        port_fits = parts.port is None or parts.port > 0
    except ValueError:
        return False
    bare = not (parts.path or parts.query or parts.fragment or parts.username)
    return parts.scheme in schemes and bool(parts.hostname) and bare and port_fits


def canonical_origin(url: str) -> str:
    """Write an origin as a browser does: small letters, no usual port, a name of other scripts as `xn--`.

    Raises ValueError for a host that no browser could open.
    """
    parts = urlsplit(url)
    host = _canonical_host(parts.hostname or "")
    port = "" if parts.port in {None, _USUAL_PORTS.get(parts.scheme)} else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"


def _canonical_host(host: str) -> str:
    if ":" in host:
        return f"[{ip_address(host).compressed}]"
    if host.isascii():
        return host
    if _AMBIGUOUS & set(host):
        msg = f"the name {host!r} is written in more than one way; write it as xn--..."
        raise ValueError(msg)
    return host.encode("idna").decode("ascii")

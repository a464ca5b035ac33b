"""Where change may go by itself: a Lightning address, or the LNURL of one, that this site could ask for an invoice."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from commonwatt.charging.errors import AddressUnusable
from commonwatt.kernel import said
from commonwatt.protocols.lnurl import LnurlError, read_link

_FORM = re.compile(r"[^\s@]{1,64}@[^\s@]{1,120}|lnurl1[a-z0-9]+", re.IGNORECASE)


def usable_address(typed: str, *, sandbox: bool, field: str | None = None) -> str:
    """Return an address as it is kept; empty for an empty one. Raises AddressUnusable, which names the `field`.

    What leads to no public host is asked only in a sandbox, whose wallets live on this very machine, at a port.
    """
    address = typed.strip()
    if address and not (_FORM.fullmatch(address) and _leads_somewhere(address, sandbox=sandbox)):
        raise AddressUnusable(
            said(
                "%(address)s is no Lightning address. Write one like name@wallet.example.", address=repr(address[:80])
            ),
            field=field,
        )
    return address


def _leads_somewhere(address: str, *, sandbox: bool) -> bool:
    try:
        parts = urlsplit(read_link(address))
    except LnurlError:
        return False
    host = parts.hostname or ""
    literal = _literal(host)
    if sandbox and parts.port and (host == "localhost" or (literal is not None and literal.is_loopback)):
        return True
    return parts.scheme == "https" and (literal.is_global if literal is not None else "." in host.strip("."))


def _literal(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None

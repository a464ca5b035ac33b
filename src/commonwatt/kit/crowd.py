"""How many connections a port takes, in all and from one address, and how long a stranger may take to say his wish.

Whoever has not yet sent a whole request costs a file descriptor and some memory, and nothing is known of him but his
address. So each port has room for so many connections, one address has a quarter of it, and the head of a request must
be whole within a time and a size. What is connected for good reasons, a station or a page that listens, is only
counted.
"""

from __future__ import annotations

import contextlib
import ipaddress
import resource
import time
from collections import Counter
from collections.abc import Sequence

import structlog

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

HEAD_S = 15.0
"""The head of a request must be whole so long after the connection began, or after the head's first byte."""
HEAD_MAX = 64 * 1024
"""Bytes that the head of a request may have."""
TLS_S = 15.0
"""How long the handshake of TLS may take before that."""
FILES_KEPT = 256
"""Open files that are kept for the databases, the log and our own questions to others."""
FULL = b"503 Service Unavailable"
LARGE = b"431 Request Header Fields Too Large"
_SAID = {
    FULL: b"The server has no room for another connection now. Try again in a few seconds.\n",
    LARGE: b"The head of this request is too large.\n",
}
CROWD_LEAST = 16
_FILES_ENOUGH = 1 << 20
_QUIET_S = 60.0
_log = structlog.get_logger("crowd")


class Crowd:
    """The connections of one port. Proxies that are named and this machine itself may fill it alone."""

    def __init__(self, most: int, *, spared: Sequence[Network] = (), name: str = "") -> None:
        """Take how many there may be, and the networks that stand for many people."""
        self.most = most
        self.most_of_one = max(1, most // 4)
        self._spared = tuple(spared)
        self._name = name
        self._here: Counter[str] = Counter()
        self.count = 0
        """How many are here."""
        self._said_at = -_QUIET_S

    def enter(self, address: str) -> bool:
        """Count a connection from an address; False where there is no room, and then `leave` is not called."""
        group, alone = self._group(address)
        if self.count >= self.most or (alone and self._here[group] >= self.most_of_one):
            self._say(group)
            return False
        self.count += 1
        self._here[group] += 1
        return True

    def leave(self, address: str) -> None:
        """Forget a connection that `enter` let in."""
        group, _ = self._group(address)
        self.count -= 1
        self._here[group] -= 1
        if self._here[group] <= 0:
            del self._here[group]

    def _group(self, address: str) -> tuple[str, bool]:
        """Return whom an address stands for (IPv6: its /64), and whether that is one household at most."""
        found = read_address(address)
        if found is None:
            return address, False
        spared = found.is_loopback or any(found in network for network in self._spared)
        return household_of(address), not spared

    def _say(self, group: str) -> None:
        now = time.monotonic()
        if now - self._said_at >= _QUIET_S:
            self._said_at = now
            _log.warning(
                "connections refused", port=self._name, here=self.count, most=self.most, address=group,
                from_address=self._here[group], most_from_one=self.most_of_one,
            )  # fmt: skip


def household_of(address: str) -> str:
    """Return whom an address stands for: IPv4 itself, IPv6 by its /64, what is no address as it is.

    A socket that listens on `::` writes IPv4 as `::ffff:a.b.c.d` (RFC 4291, 2.5.5.2); that is the IPv4 address.
    """
    found = read_address(address)
    if isinstance(found, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((found, 64), strict=False))
    return address if found is None else str(found)


def read_address(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return an address, IPv4 also where it is written as IPv6; None for what is none."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, ipaddress.IPv6Address) else found


def turned_away(status: bytes) -> bytes:
    """Return the whole answer, FULL or LARGE, to a connection that is closed after it."""
    text = _SAID[status]
    head = b"HTTP/1.1 %b\r\ncontent-type: text/plain\r\nretry-after: 5\r\nconnection: close\r\n" % status
    return head + b"content-length: %d\r\n\r\n" % len(text) + text


def open_more_files() -> int:
    """Raise the limit of open files as far as the system lets us; return how many may be open at once."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _FILES_ENOUGH if soft == resource.RLIM_INFINITY else soft


def room(most: int, files: int) -> int:
    """Return how many connections a port takes: `most`, or what the open files allow when two ports share them."""
    fitting = max(CROWD_LEAST, (files - FILES_KEPT) // 2)
    if fitting < most:
        _log.info("fewer connections than set", most=most, fitting=fitting, files=files)
    return min(most, fitting)

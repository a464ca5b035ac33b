"""Passwords of stations, hashed at rest with scrypt (RFC 7914)."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac

_N, _R, _P = 4096, 8, 1


def hash_secret(secret: str, salt: bytes) -> str:
    """Return `scrypt$n$salt$digest`; some ten milliseconds of work, so call it off the event loop."""
    digest = hashlib.scrypt(secret.encode(), salt=salt, n=_N, r=_R, p=_P, dklen=32)
    return f"scrypt${_N}${salt.hex()}${base64.b64encode(digest).decode()}"


def secret_matches(secret: str, hashed: str) -> bool:
    """Whether a secret has this hash; a hash of another form matches nothing."""
    try:
        kind, cost, salt, digest = hashed.split("$")
        expected = base64.b64decode(digest)
        n, salted = int(cost), bytes.fromhex(salt)
    except ValueError:
        return False
    if kind != "scrypt":
        return False
    given = hashlib.scrypt(secret.encode(), salt=salted, n=n, r=_R, p=_P, dklen=len(expected))
    return hmac.compare_digest(given, expected)


def spellings(given: bytes) -> list[str]:
    """Return what a station may have meant: as given, and with the hex of it undone or applied.

    The security whitepaper for OCPP 1.6 (profile 1) sets passwords as hex; some stations then send the hex itself, and
    some send the bytes that the hex stands for.
    """
    meant = [given.hex(), given.hex().upper()]
    with contextlib.suppress(ValueError):
        text = given.decode()
        meant.insert(0, text)
        meant.insert(1, bytes.fromhex(text).decode())
    return meant

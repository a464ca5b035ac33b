"""One way to name content: SHA-256 over canonical JSON."""

from __future__ import annotations

import hashlib
import json


def sha256_hex(content: bytes) -> str:
    """Return the SHA-256 of bytes in lower-case hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def digest_of(value: object) -> str:
    """Return the digest of a JSON value: keys sorted, no white space, UTF-8. Floats raise TypeError."""
    return sha256_hex(json.dumps(_whole(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode())


def _whole(value: object) -> object:
    match value:
        case None | bool() | int() | str():
            return value
        case list() | tuple():
            return [_whole(item) for item in value]
        case dict():
            return {str(key): _whole(item) for key, item in value.items()}
        case _:
            pass
    msg = f"{type(value).__name__} has no canonical form"
    raise TypeError(msg)

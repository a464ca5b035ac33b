"""Secrets that people and programs carry: how they look, and the digest under which we know them.

All have at least 80 bits from the source of ids, so one SHA-256 is enough to keep them.
"""

from __future__ import annotations

import base64
import hashlib

from commonwatt.kit.database import Work

TOKEN_PREFIX = "cw_"  # noqa: S105 (the public beginning of every token)
_CODE_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"
_READ_AS = str.maketrans("oil", "011")


def new_secret(work: Work) -> str:
    """Return 256 bits as a word that fits an address."""
    return base64.urlsafe_b64encode(work.ids.secret(32)).decode().rstrip("=")


def new_code(work: Work) -> str:
    """Return a recovery code of 80 bits for paper: four groups of four letters (Crockford base 32)."""
    value = int.from_bytes(work.ids.secret(10), "big")
    letters = "".join(_CODE_LETTERS[(value >> 5 * place) & 31] for place in range(16))
    return "-".join(letters[start : start + 4] for start in range(0, 16, 4))


def digest(secret: str) -> str:
    """Return what is stored in a secret's place."""
    return hashlib.sha256(secret.encode()).hexdigest()


def digest_code(code: str) -> str:
    """Return a code's digest as a person may type it: capitals, spaces and dashes do not matter."""
    return digest("".join(letter for letter in code.lower() if letter.isalnum()).translate(_READ_AS))

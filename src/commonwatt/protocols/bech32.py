"""Bech32 (BIP 173) without its length limit: lower-case letters that carry five bits each and check themselves.

BOLT 11 invoices and LNURLs are written in it, both longer than the 90 characters that addresses keep to.
"""

from __future__ import annotations

from collections.abc import Iterable

CHARSET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_VALUES = {letter: value for value, letter in enumerate(CHARSET)}
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CHECKSUM_LENGTH = 6


def _feedback() -> tuple[int, ...]:
    """Fold the five generator words into one table, so that a letter costs one look-up."""
    table = []
    for top in range(32):
        word = 0
        for bit, generator in enumerate(_GENERATOR):
            if top >> bit & 1:
                word ^= generator
        table.append(word)
    return tuple(table)


_FEEDBACK = _feedback()


class Bech32Error(ValueError):
    """The text is no Bech32: a letter, the checksum, the separator or the case is wrong."""


def encode(prefix: str, values: Iterable[int]) -> str:
    """Write a prefix and five-bit values, with their checksum, in lower case."""
    data = list(values)
    check = _polymod(_expanded(prefix), data, [0] * _CHECKSUM_LENGTH) ^ 1
    data += [check >> 5 * (5 - place) & 31 for place in range(_CHECKSUM_LENGTH)]
    return prefix + "1" + "".join([CHARSET[value] for value in data])


def decode(text: str, length_max: int) -> tuple[str, list[int]]:
    """Read the prefix and the five-bit values; either case, but not both mixed. Raises Bech32Error."""
    if len(text) > length_max:
        msg = f"it has {len(text)} characters, at most {length_max} are read"
        raise Bech32Error(msg)
    if text.lower() != text and text.upper() != text:
        msg = "upper and lower case are mixed"
        raise Bech32Error(msg)
    text = text.lower()
    prefix, separator, body = text.rpartition("1")
    if not separator or not prefix or len(body) < _CHECKSUM_LENGTH:
        msg = "a prefix, the separator 1 and a checksum are needed"
        raise Bech32Error(msg)
    if not (prefix.isascii() and prefix.isprintable()) or " " in prefix:
        msg = "the prefix has a letter that cannot be"
        raise Bech32Error(msg)
    try:
        values = [_VALUES[letter] for letter in body]
    except KeyError as error:
        msg = f"{error.args[0]!r} is no letter of Bech32"
        raise Bech32Error(msg) from None
    if _polymod(_expanded(prefix), values, ()) != 1:
        msg = "the checksum does not fit; a letter was lost or changed on the way"
        raise Bech32Error(msg)
    return prefix, values[:-_CHECKSUM_LENGTH]


def to_values(content: bytes) -> list[int]:
    """Cut bytes into five-bit values, the last one filled up with zero bits."""
    count = -(-8 * len(content) // 5)
    number = int.from_bytes(content, "big") << 5 * count - 8 * len(content)
    return [number >> 5 * place & 31 for place in range(count - 1, -1, -1)]


def to_bytes(values: list[int], *, strict: bool = False) -> bytes:
    """Join five-bit values to whole bytes; the bits beyond the last whole byte are dropped.

    `strict` demands, as BIP 173 does, that fewer than five bits are beyond, all of them zero; raises Bech32Error.
    """
    number = 0
    for value in values:
        number = number << 5 | value
    size, beyond = divmod(5 * len(values), 8)
    if strict and (beyond >= 5 or number & (1 << beyond) - 1):  # noqa: PLR2004 (a value has five bits)
        msg = "the last letters carry bits that belong to no byte"
        raise Bech32Error(msg)
    return (number >> beyond).to_bytes(size, "big")


def _expanded(prefix: str) -> list[int]:
    codes = prefix.encode("ascii")
    return [code >> 5 for code in codes] + [0] + [code & 31 for code in codes]


def _polymod(*parts: Iterable[int]) -> int:
    check = 1
    for part in parts:
        for value in part:
            check = (check & 0x1FFFFFF) << 5 ^ value ^ _FEEDBACK[check >> 25]
    return check

"""The data part of an invoice: a time stamp, then tagged fields of five-bit values (BOLT 11, Data Part)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from commonwatt.protocols import bech32
from commonwatt.protocols.bolt11.invoice import (
    EXPIRY_DEFAULT_S,
    Bolt11,
    Bolt11Error,
    Fallback,
    Hop,
    Network,
)

TIMESTAMP_VALUES = 7
_FIELD_VALUES_MAX = 1023
_HOP_BYTES = 51
_FALLBACK_BYTES = {17: (20,), 18: (20,), 0: (20, 32), **{version: range(2, 41) for version in range(1, 17)}}
_KNOWN_FEATURES = frozenset({8, 14, 16, 24, 48, 50, 56, 260})
"""Compulsory bits of BOLT 9 that may stand in an invoice and whose meaning we know; others make it unpayable."""

P, S, D, N, H, X, C, F, R, FEATURES, M = (bech32.CHARSET.index(tag) for tag in "psdnhxcfr9m")


def write(invoice: Bolt11) -> list[int]:
    """Return the five-bit values of everything but the signature."""
    values = _number(invoice.timestamp, TIMESTAMP_VALUES)
    values += _field(P, bech32.to_values(invoice.payment_hash))
    if invoice.payment_secret is not None:
        values += _field(S, bech32.to_values(invoice.payment_secret))
    if invoice.description_hash is not None:
        values += _field(H, bech32.to_values(invoice.description_hash))
    else:
        values += _field(D, bech32.to_values((invoice.description or "").encode()))
    if invoice.metadata is not None:
        values += _field(M, bech32.to_values(invoice.metadata))
    if invoice.expiry_s != EXPIRY_DEFAULT_S:
        values += _field(X, _shortest(invoice.expiry_s))
    values += _field(C, _shortest(invoice.min_final_cltv))
    for fallback in invoice.fallbacks:
        values += _field(F, [fallback.version, *bech32.to_values(fallback.program)])
    for route in invoice.routes:
        values += _field(R, bech32.to_values(b"".join(_write_hop(hop) for hop in route)))
    if invoice.features:
        values += _field(FEATURES, _shortest(invoice.features))
    return values


def read(network: Network, amount_msat: int | None, values: list[int]) -> Bolt11:
    """Read all that is before the signature; `payee` stays empty unless tag `n` names it. Raises Bolt11Error."""
    if len(values) < TIMESTAMP_VALUES:
        msg = "it ends before its time stamp"
        raise Bolt11Error(msg)
    said: dict[str, Any] = {}
    routes: list[tuple[Hop, ...]] = []
    fallbacks: list[Fallback] = []
    for tag, data in _fields(values[TIMESTAMP_VALUES:]):
        if tag == R:
            routes.append(_read_hops(bech32.to_bytes(data)))
        elif tag == F:
            fallbacks += _read_fallback(data)
        else:
            name, lengths, reader = _SINGLE.get(tag, ("", range(0), _integer))
            if len(data) in lengths and name not in said:
                said[name] = reader(data)
    if "payment_hash" not in said:
        msg = "it names no payment hash"
        raise Bolt11Error(msg)
    _check_features(said.setdefault("features", 0))
    return Bolt11(
        network=network,
        amount_msat=amount_msat,
        timestamp=_integer(values[:TIMESTAMP_VALUES]),
        routes=tuple(route for route in routes if route),
        fallbacks=tuple(fallbacks),
        **said,
    )


def _read_text(data: list[int]) -> str:
    try:
        return bech32.to_bytes(data).decode()
    except UnicodeDecodeError:
        msg = "its description is not UTF-8"
        raise Bolt11Error(msg) from None


def _integer(values: list[int]) -> int:
    number = 0
    for value in values:
        number = number << 5 | value
    return number


_HASH, _KEY, _ANY, _SMALL = range(52, 53), range(53, 54), range(1024), range(13)
"""Lengths in values; numbers of more than sixty bits are nobody's expiry."""
_SINGLE: dict[int, tuple[str, range, Callable[[list[int]], Any]]] = {
    P: ("payment_hash", _HASH, bech32.to_bytes),
    S: ("payment_secret", _HASH, bech32.to_bytes),
    H: ("description_hash", _HASH, bech32.to_bytes),
    N: ("payee", _KEY, bech32.to_bytes),
    D: ("description", _ANY, _read_text),
    M: ("metadata", _ANY, bech32.to_bytes),
    X: ("expiry_s", _SMALL, _integer),
    C: ("min_final_cltv", _SMALL, _integer),
    FEATURES: ("features", _ANY, _integer),
}
"""Fields that stand once: name, lengths in values that are read, reader. Others are skipped, as the standard bids."""


def _fields(values: list[int]) -> Iterator[tuple[int, list[int]]]:
    place = 0
    while place < len(values):
        head = values[place : place + 3]
        if len(head) < 3:  # noqa: PLR2004 (tag, and a length of two values)
            msg = "it ends inside a field"
            raise Bolt11Error(msg)
        size = head[1] << 5 | head[2]
        data = values[place + 3 : place + 3 + size]
        if len(data) < size:
            msg = "a field is longer than what is left"
            raise Bolt11Error(msg)
        yield head[0], data
        place += 3 + size


def _check_features(features: int) -> None:
    bit = 0
    while features >> bit:
        if features >> bit & 1 and bit not in _KNOWN_FEATURES:
            msg = f"it demands feature {bit}, which is unknown here"
            raise Bolt11Error(msg)
        bit += 2


def _write_hop(hop: Hop) -> bytes:
    return (
        hop.node
        + hop.short_channel_id.to_bytes(8, "big")
        + hop.fee_base_msat.to_bytes(4, "big")
        + hop.fee_proportional_millionths.to_bytes(4, "big")
        + hop.cltv_expiry_delta.to_bytes(2, "big")
    )


def _read_hops(content: bytes) -> tuple[Hop, ...]:
    hops = []
    for start in range(0, len(content) - _HOP_BYTES + 1, _HOP_BYTES):
        part = content[start : start + _HOP_BYTES]
        hops.append(
            Hop(
                node=part[:33],
                short_channel_id=int.from_bytes(part[33:41], "big"),
                fee_base_msat=int.from_bytes(part[41:45], "big"),
                fee_proportional_millionths=int.from_bytes(part[45:49], "big"),
                cltv_expiry_delta=int.from_bytes(part[49:51], "big"),
            )
        )
    return tuple(hops)


def _read_fallback(data: list[int]) -> list[Fallback]:
    """Read an address, or nothing where its version or length is unknown: such fields are to be skipped."""
    if not data or data[0] not in _FALLBACK_BYTES:
        return []
    program = bech32.to_bytes(data[1:])
    return [Fallback(data[0], program)] if len(program) in _FALLBACK_BYTES[data[0]] else []


def _field(tag: int, data: list[int]) -> list[int]:
    if len(data) > _FIELD_VALUES_MAX:
        msg = f"a field holds at most 639 bytes, tag {bech32.CHARSET[tag]} has more"
        raise Bolt11Error(msg)
    return [tag, len(data) >> 5, len(data) & 31, *data]


def _number(number: int, count: int) -> list[int]:
    return [number >> 5 * place & 31 for place in range(count - 1, -1, -1)]


def _shortest(number: int) -> list[int]:
    return _number(number, max(1, -(-number.bit_length() // 5)))

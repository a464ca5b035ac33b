"""Invoices as text: the prefix with the amount, the data part, and a signature whose key can be recovered."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache

import coincurve
from coincurve.ecdsa import cdata_to_der, deserialize_compact

from commonwatt.protocols import bech32
from commonwatt.protocols.bolt11 import fields
from commonwatt.protocols.bolt11.invoice import Bolt11, Bolt11Error, Network

LENGTH_MAX = 4296
"""Characters that are read; the most that fits a QR code."""
_SIGNATURE_VALUES = 104
_SIGNATURE_BYTES = 65
_BTC_MSAT = 100_000_000_000
_UNITS_MSAT = {"m": _BTC_MSAT // 10**3, "u": _BTC_MSAT // 10**6, "n": _BTC_MSAT // 10**9}
_SUPPLY_MSAT = 21_000_000 * _BTC_MSAT
_PREFIX = re.compile(r"ln(bcrt|bc|tbs|tb)(?:([1-9][0-9]{0,18})([munp]?))?")


def encode(invoice: Bolt11, secret_key: bytes) -> str:
    """Write an invoice and sign it with a node's secret key (32 bytes). Raises Bolt11Error for what cannot be said."""
    if (invoice.description is None) == (invoice.description_hash is None):
        msg = "an invoice has either a description or the hash of one"
        raise Bolt11Error(msg)
    prefix = "ln" + invoice.network + _amount_text(invoice.amount_msat)
    values = fields.write(invoice)
    signature = _key(secret_key).sign_recoverable(_signed_content(prefix, values))
    return bech32.encode(prefix, values + bech32.to_values(signature))


def decode(text: str) -> Bolt11:
    """Read an invoice, `lightning:` before it or not, and verify its signature.

    Raises Bolt11Error, with a reason for people, for everything that must not be paid.
    """
    text = text.strip()
    if text[:10].lower() == "lightning:":
        text = text[10:]
    try:
        prefix, values = bech32.decode(text, LENGTH_MAX)
    except bech32.Bech32Error as error:
        raise Bolt11Error(str(error)) from None
    network, amount_msat = _read_prefix(prefix)
    if len(values) < _SIGNATURE_VALUES + fields.TIMESTAMP_VALUES:
        msg = "it is too short to be signed"
        raise Bolt11Error(msg)
    content, signature = values[:-_SIGNATURE_VALUES], bech32.to_bytes(values[-_SIGNATURE_VALUES:])
    invoice = fields.read(network, amount_msat, content)
    signed = _signed_content(prefix, content)
    if invoice.payee:
        _verify(invoice.payee, signature, signed)
        return invoice
    return replace(invoice, payee=_recover(signature, signed))


def public_key_of(secret_key: bytes) -> bytes:
    """Return the public key (33 bytes) of a node's secret key."""
    return bytes(_key(secret_key).public_key.format())


def node_id(secret_key: bytes) -> str:
    """Return a node's name: its public key in hexadecimal."""
    return public_key_of(secret_key).hex()


@lru_cache(maxsize=16)
def _key(secret_key: bytes) -> coincurve.PrivateKey:
    return coincurve.PrivateKey(secret_key)


def _signed_content(prefix: str, values: list[int]) -> bytes:
    """Return prefix and data, filled up with zero bits to whole bytes; its SHA-256 is what is signed."""
    bits = 5 * len(values)
    filling = [0] * (-(-(-(-bits // 8) * 8 - bits) // 5))
    return prefix.encode() + bech32.to_bytes(values + filling)


def _recover(signature: bytes, signed: bytes) -> bytes:
    try:
        return bytes(coincurve.PublicKey.from_signature_and_message(signature, signed).format())
    except Exception as error:
        msg = "its signature is broken"
        raise Bolt11Error(msg) from error


def _verify(payee: bytes, signature: bytes, signed: bytes) -> None:
    try:
        raw = cdata_to_der(deserialize_compact(signature[: _SIGNATURE_BYTES - 1]))
        valid = coincurve.PublicKey(payee).verify(raw, signed)
    except Exception as error:
        msg = "its signature is broken"
        raise Bolt11Error(msg) from error
    if not valid:
        msg = "its signature is not that of the node that it names"
        raise Bolt11Error(msg)


def _amount_text(amount_msat: int | None) -> str:
    """Write an amount with the largest unit that leaves a whole number (BOLT 11, Human-Readable Part)."""
    if amount_msat is None:
        return ""
    if not 0 < amount_msat <= _SUPPLY_MSAT:
        msg = f"{amount_msat} msat cannot be asked for"
        raise Bolt11Error(msg)
    if amount_msat % _BTC_MSAT == 0:
        return str(amount_msat // _BTC_MSAT)
    for unit, msat in _UNITS_MSAT.items():
        if amount_msat % msat == 0:
            return f"{amount_msat // msat}{unit}"
    return f"{amount_msat * 10}p"


def _read_prefix(prefix: str) -> tuple[Network, int | None]:
    match = _PREFIX.fullmatch(prefix)
    if match is None:
        msg = "it does not begin like an invoice for Bitcoin, or its amount is malformed"
        raise Bolt11Error(msg)
    network, digits, unit = match.groups()
    if digits is None:
        return Network(network), None
    if unit == "p":
        amount_msat, rest = divmod(int(digits), 10)
        if rest:
            msg = "its amount is finer than a millisatoshi"
            raise Bolt11Error(msg)
    else:
        amount_msat = int(digits) * _UNITS_MSAT.get(unit, _BTC_MSAT)
    if amount_msat > _SUPPLY_MSAT:
        msg = "it asks for more bitcoin than will ever be"
        raise Bolt11Error(msg)
    return Network(network), amount_msat

"""What a Lightning invoice says (BOLT 11), as typed values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

EXPIRY_DEFAULT_S = 3600
CLTV_DEFAULT = 18

FEATURES_USUAL = 1 << 8 | 1 << 14 | 1 << 17
"""BOLT 9: onion payloads of variable length and payment secret compulsory, several parts supported."""


class Bolt11Error(ValueError):
    """The text is no invoice that could be paid; the message says why, for people."""


class Network(StrEnum):
    """The chains that an invoice may be for, by their prefix (BIP 173)."""

    MAINNET = "bc"
    TESTNET = "tb"
    SIGNET = "tbs"
    REGTEST = "bcrt"


@dataclass(frozen=True, slots=True)
class Hop:
    """One step of a private route, tag `r`."""

    node: bytes
    short_channel_id: int
    fee_base_msat: int
    fee_proportional_millionths: int
    cltv_expiry_delta: int


@dataclass(frozen=True, slots=True)
class Fallback:
    """An address on the chain, tag `f`: witness version with its program, 17 for P2PKH, 18 for P2SH."""

    version: int
    program: bytes


@dataclass(frozen=True, slots=True)
class Bolt11:
    """An invoice. Exactly one of `description` and `description_hash` is set in invoices that we write."""

    network: Network
    amount_msat: int | None
    """None when the payer chooses."""
    timestamp: int
    """Unix seconds of its making."""
    payment_hash: bytes
    payment_secret: bytes | None = None
    description: str | None = None
    description_hash: bytes | None = None
    expiry_s: int = EXPIRY_DEFAULT_S
    min_final_cltv: int = CLTV_DEFAULT
    features: int = FEATURES_USUAL
    """Bit n is feature n of BOLT 9."""
    payee: bytes = b""
    """The public key that signed it, 33 bytes: named by tag `n` or recovered from the signature."""
    routes: tuple[tuple[Hop, ...], ...] = ()
    fallbacks: tuple[Fallback, ...] = ()
    metadata: bytes | None = None

    @property
    def expires_s(self) -> int:
        """Unix seconds after which it should not be paid."""
        return self.timestamp + self.expiry_s

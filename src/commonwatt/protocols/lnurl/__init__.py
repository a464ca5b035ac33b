"""LNURL: what a wallet and a service say to each other over HTTP around a Lightning payment, as typed values.

Each message composes itself to JSON with no key that the LUDs do not name, because strict wallets refuse others, and is
parsed leniently, because services add their own. Amounts in msat. Reading order: `links` (how an address is written:
LUD-01, 16, 17), `pay` (LUD-06, 09, 11, 12, 20, 21), `withdraw` (LUD-03), `answers` (errors, and which message it is).
"""

from commonwatt.protocols.lnurl.answers import compose_error, compose_ok, parse_service, read_answer
from commonwatt.protocols.lnurl.errors import LnurlError, ServiceError
from commonwatt.protocols.lnurl.links import (
    address_identifier,
    address_url,
    decode_lnurl,
    encode_lnurl,
    in_scheme,
    page_link,
    read_link,
    with_query,
)
from commonwatt.protocols.lnurl.pay import (
    Message,
    PayAnswer,
    PayRequest,
    SuccessAction,
    UrlAction,
    Verification,
    compose_metadata,
    metadata_hash,
    metadata_text,
    parse_pay_answer,
    parse_verification,
)
from commonwatt.protocols.lnurl.withdraw import WithdrawRequest

__all__ = [
    "LnurlError",
    "Message",
    "PayAnswer",
    "PayRequest",
    "ServiceError",
    "SuccessAction",
    "UrlAction",
    "Verification",
    "WithdrawRequest",
    "address_identifier",
    "address_url",
    "compose_error",
    "compose_metadata",
    "compose_ok",
    "decode_lnurl",
    "encode_lnurl",
    "in_scheme",
    "metadata_hash",
    "metadata_text",
    "page_link",
    "parse_pay_answer",
    "parse_service",
    "parse_verification",
    "read_answer",
    "read_link",
    "with_query",
]

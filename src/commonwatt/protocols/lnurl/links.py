"""How an LNURL is written: Bech32 (LUD-01), Lightning addresses (LUD-16), own URL schemes (LUD-17), and page links."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit, urlunsplit

from commonwatt.protocols import bech32
from commonwatt.protocols.lnurl.errors import LnurlError

LENGTH_MAX = 4296
"""Characters that are read; the most that fits a QR code."""
_PREFIX = "lnurl"
SCHEMES = {"lnurlp": "payRequest", "lnurlw": "withdrawRequest", "lnurlc": "channelRequest", "keyauth": "login"}
"""LUD-17: each scheme with the message that is to be expected behind it."""
_ADDRESS = re.compile(r"([a-z0-9._+-]{1,64})@([a-z0-9.-]{1,253}(?::[0-9]{1,5})?)", re.IGNORECASE)
_NAME = re.compile(r"[a-z0-9._-]+")


def encode_lnurl(url: str) -> str:
    """Write an address as LUD-01 has it, in upper case, which makes the smallest QR code."""
    return bech32.encode(_PREFIX, bech32.to_values(url.encode())).upper()


def decode_lnurl(text: str) -> str:
    """Read an address from its Bech32 form. Raises LnurlError."""
    try:
        prefix, values = bech32.decode(text.strip(), LENGTH_MAX)
        url = bech32.to_bytes(values, strict=True).decode()
    except (bech32.Bech32Error, UnicodeDecodeError) as error:
        msg = f"it is no LNURL: {error}"
        raise LnurlError(msg) from None
    if prefix != _PREFIX:
        msg = f"it begins with {prefix}, not with lnurl"
        raise LnurlError(msg)
    return _checked(url)


def address_url(address: str) -> str:
    """Return where a Lightning address `name@host` is asked (LUD-16). Raises LnurlError."""
    match = _ADDRESS.fullmatch(address.strip())
    if match is None or match[1] != match[1].lower():
        msg = "a Lightning address is written name@host, with small letters, digits, - _ . and + in the name"
        raise LnurlError(msg)
    host = match[2].lower()
    return _checked(f"{_plain_scheme(host)}://{host}/.well-known/lnurlp/{match[1]}")


def address_identifier(name: str, host: str) -> str:
    """Return the address of a name at a host, as metadata carry it: without a port, which breaks common wallets.

    Raises LnurlError for a name that LUD-16 does not allow.
    """
    if not _NAME.fullmatch(name):
        msg = f"{name!r} cannot be a Lightning address: only a-z, 0-9, - _ and . are allowed"
        raise LnurlError(msg)
    return f"{name}@{host.rpartition(':')[0] if ':' in host else host}"


def in_scheme(url: str, scheme: str) -> str:
    """Write an address with a scheme of LUD-17, `lnurlp` to pay and `lnurlw` to withdraw."""
    parts = urlsplit(url)
    return urlunsplit((scheme, parts.netloc, parts.path, parts.query, ""))


def page_link(page_url: str, lnurl_url: str) -> str:
    """Return what a QR code should say: a page for plain cameras that carries the LNURL for wallets (LUD-01)."""
    return with_query(page_url, lightning=encode_lnurl(lnurl_url))


def with_query(url: str, **values: str | int) -> str:
    """Add parameters to an address, whether it has some already or not."""
    parts = urlsplit(url)
    query = parse_qsl(parts.query, keep_blank_values=True) + [(name, str(value)) for name, value in values.items()]
    return urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode(query), ""))


def read_link(text: str) -> str:
    """Return the address behind whatever a person scanned or pasted. Raises LnurlError.

    Understood are LNURLs with or without `lightning:`, the schemes of LUD-17, Lightning addresses, page links that
    carry an LNURL, and plain addresses.
    """
    text = text.strip()
    if len(text) > LENGTH_MAX:
        msg = f"it has {len(text)} characters, at most {LENGTH_MAX} are read"
        raise LnurlError(msg)
    if text[:10].lower() == "lightning:":
        text = text[10:].removeprefix("//")
    if text[:6].lower() == "lnurl1":
        return decode_lnurl(text)
    scheme, separator, rest = text.partition("://")
    if separator and scheme.lower() in SCHEMES:
        host = rest.partition("/")[0]
        return _checked(f"{_plain_scheme(host)}://{rest}")
    if scheme.lower() in {"http", "https"} and separator:
        inside = parse_qs(urlsplit(text).query).get("lightning", [])
        return decode_lnurl(inside[0]) if inside else _checked(text)
    if "@" in text:
        return address_url(text)
    msg = "it is neither an LNURL nor a Lightning address"
    raise LnurlError(msg)


def _plain_scheme(host: str) -> str:
    """Return the scheme that LUD-17 leaves open: TLS, except for hidden services and this very machine."""
    name = host.rpartition("@")[2].rpartition(":")[0] if re.search(r":[0-9]+$", host) else host
    return "http" if name.endswith(".onion") or name in {"localhost", "127.0.0.1", "[::1]"} else "https"


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url)
        sound = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        sound = False
        parts = urlsplit("")
    if not sound or parts.username is not None or any(ord(letter) <= ord(" ") for letter in url):
        msg = "it does not lead to a web address"
        raise LnurlError(msg)
    return url

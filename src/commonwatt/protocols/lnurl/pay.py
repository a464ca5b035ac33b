"""Paying a service: payRequest (LUD-06) and its answer, with what later LUDs put beside."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from commonwatt.protocols.lnurl.errors import LnurlError
from commonwatt.protocols.lnurl.reading import read_amount, read_text, read_url

SHORT_MAX = 144
"""Characters of a success message or description (LUD-09)."""


@dataclass(frozen=True, slots=True)
class PayRequest:
    """What a service takes (LUD-06). `comment_allowed` is the longest comment in characters, 0 for none (LUD-12)."""

    callback: str
    min_msat: int
    max_msat: int
    metadata: str
    """JSON as text: the invoice commits to exactly these bytes."""
    comment_allowed: int = 0

    def compose(self) -> dict[str, Any]:
        """Return the message as JSON values. Raises LnurlError for limits that nobody could meet."""
        if not 0 < self.min_msat <= self.max_msat:
            msg = f"from {self.min_msat} to {self.max_msat} msat there is nothing to pay"
            raise LnurlError(msg)
        message: dict[str, Any] = {
            "tag": "payRequest",
            "callback": self.callback,
            "minSendable": self.min_msat,
            "maxSendable": self.max_msat,
            "metadata": self.metadata,
        }
        if self.comment_allowed:
            message["commentAllowed"] = self.comment_allowed
        return message

    @classmethod
    def parse(cls, message: dict[str, Any]) -> PayRequest:
        """Read the message, leniently beyond what paying needs. Raises LnurlError."""
        request = cls(
            callback=read_url(message, "callback"),
            min_msat=read_amount(message, "minSendable"),
            max_msat=read_amount(message, "maxSendable"),
            metadata=read_text(message, "metadata"),
            comment_allowed=read_amount(message, "commentAllowed") if message.get("commentAllowed") else 0,
        )
        if not 0 < request.min_msat <= request.max_msat:
            msg = f"the service takes from {request.min_msat} to {request.max_msat} msat, which nobody can pay"
            raise LnurlError(msg)
        metadata_text(request.metadata)
        return request


@dataclass(frozen=True, slots=True)
class Message:
    """A success action that says something (LUD-09), at most 144 characters."""

    message: str

    def compose(self) -> dict[str, str]:
        """Return the action as JSON values."""
        return {"tag": "message", "message": _short(self.message)}


@dataclass(frozen=True, slots=True)
class UrlAction:
    """A success action that leads to a page of the same host as the callback (LUD-09)."""

    description: str
    url: str

    def compose(self) -> dict[str, str]:
        """Return the action as JSON values."""
        return {"tag": "url", "description": _short(self.description), "url": self.url}


SuccessAction = Message | UrlAction


@dataclass(frozen=True, slots=True)
class PayAnswer:
    """The answer to a payment's callback: an invoice, and what the wallet shows once it is paid.

    `disposable` is False for links that may be kept and paid again (LUD-11), as a QR code on a wall. `verify` is where
    anybody may ask whether this invoice was paid (LUD-21).
    """

    bolt11: str
    success: SuccessAction | None = None
    disposable: bool | None = None
    verify: str | None = None

    def compose(self) -> dict[str, Any]:
        """Return the message as JSON values."""
        message: dict[str, Any] = {"pr": self.bolt11, "routes": []}
        if self.success is not None:
            message["successAction"] = self.success.compose()
        if self.disposable is not None:
            message["disposable"] = self.disposable
        if self.verify is not None:
            message["verify"] = self.verify
        return message


@dataclass(frozen=True, slots=True)
class Verification:
    """Whether an invoice was paid (LUD-21). The preimage is a proof of payment: only ever given once it is settled."""

    bolt11: str
    settled: bool
    preimage: str | None = None

    def compose(self) -> dict[str, Any]:
        """Return the message as JSON values; an unsettled invoice's preimage stays out whatever was put in."""
        preimage = self.preimage if self.settled else None
        return {"status": "OK", "settled": self.settled, "preimage": preimage, "pr": self.bolt11}


def compose_metadata(
    text: str, *, identifier: str | None = None, long_description: str | None = None, png: str | None = None
) -> str:
    """Return metadata as JSON text: a line (LUD-06), an address (LUD-16), a long text (LUD-20), an image in base64."""
    entries = [["text/plain", text]]
    if identifier is not None:
        entries.append(["text/identifier", identifier])
    if long_description is not None:
        entries.append(["text/long-desc", long_description])
    if png is not None:
        entries.append(["image/png;base64", png])
    return json.dumps(entries, ensure_ascii=False, separators=(",", ":"))


def metadata_hash(metadata: str) -> bytes:
    """Return what an invoice commits to (LUD-06): SHA-256 of the metadata's UTF-8 bytes."""
    return hashlib.sha256(metadata.encode()).digest()


def metadata_text(metadata: str) -> str:
    """Return the plain line of metadata. Raises LnurlError when it is malformed or has none, or more than one."""
    try:
        entries = json.loads(metadata)
        lines = [entry[1] for entry in entries if entry[0] == "text/plain"]
    except (ValueError, TypeError, LookupError, RecursionError):
        lines = []
    if len(lines) != 1 or not isinstance(lines[0], str):
        msg = "its metadata do not say in one line what is paid"
        raise LnurlError(msg)
    return lines[0]


def parse_pay_answer(message: dict[str, Any], callback: str) -> PayAnswer:
    """Read the answer of a callback. Raises LnurlError.

    A success action is for people only: one that is malformed or leads to another host is left out.
    """
    disposable = message.get("disposable")
    verify = message.get("verify")
    return PayAnswer(
        bolt11=read_text(message, "pr"),
        success=_read_success(message.get("successAction"), callback),
        disposable=disposable if isinstance(disposable, bool) else None,
        verify=verify if isinstance(verify, str) else None,
    )


def parse_verification(message: dict[str, Any]) -> Verification:
    """Read the answer of a verify address (LUD-21). Raises LnurlError."""
    settled = message.get("settled")
    preimage = message.get("preimage")
    if not isinstance(settled, bool) or not isinstance(preimage, str | None):
        msg = "it does not say whether the invoice was paid"
        raise LnurlError(msg)
    return Verification(read_text(message, "pr"), settled, preimage)


def _read_success(action: object, callback: str) -> SuccessAction | None:
    match action:
        case {"tag": "message", "message": str(message)} if len(message) <= SHORT_MAX:
            return Message(message)
        case {"tag": "url", "description": str(description), "url": str(url)} if len(description) <= SHORT_MAX:
            try:
                same = urlsplit(url).hostname == urlsplit(callback).hostname
            except ValueError:
                same = False
            return UrlAction(description, url) if same else None
        case _:
            return None


def _short(text: str) -> str:
    return text if len(text) <= SHORT_MAX else text[: SHORT_MAX - 1] + "…"

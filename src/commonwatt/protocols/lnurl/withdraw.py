"""Taking money from a service: withdrawRequest (LUD-03)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from commonwatt.protocols.lnurl.errors import LnurlError
from commonwatt.protocols.lnurl.reading import read_amount, read_text, read_url


@dataclass(frozen=True, slots=True)
class WithdrawRequest:
    """What may be taken: the wallet answers the callback with `k1` and an invoice of an amount in between.

    `pay_link` (LUD-19) is where the same purse can be filled again, a raw address of scheme `lnurlp`.
    """

    callback: str
    k1: str
    description: str
    min_msat: int
    max_msat: int
    pay_link: str | None = None

    def compose(self) -> dict[str, Any]:
        """Return the message as JSON values. Raises LnurlError for limits that nobody could meet."""
        if not 0 <= self.min_msat <= self.max_msat:
            msg = f"from {self.min_msat} to {self.max_msat} msat there is nothing to take"
            raise LnurlError(msg)
        message: dict[str, Any] = {
            "tag": "withdrawRequest",
            "callback": self.callback,
            "k1": self.k1,
            "defaultDescription": self.description,
            "minWithdrawable": self.min_msat,
            "maxWithdrawable": self.max_msat,
        }
        if self.pay_link is not None:
            message["payLink"] = self.pay_link
        return message

    @classmethod
    def parse(cls, message: dict[str, Any]) -> WithdrawRequest:
        """Read the message. Raises LnurlError."""
        description = message.get("defaultDescription")
        pay_link = message.get("payLink")
        request = cls(
            callback=read_url(message, "callback"),
            k1=read_text(message, "k1"),
            description=description if isinstance(description, str) else "",
            min_msat=read_amount(message, "minWithdrawable"),
            max_msat=read_amount(message, "maxWithdrawable"),
            pay_link=pay_link if isinstance(pay_link, str) else None,
        )
        if request.min_msat > request.max_msat:
            msg = "the least that may be taken is more than the most"
            raise LnurlError(msg)
        return request

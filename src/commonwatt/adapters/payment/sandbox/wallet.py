"""The demo's phone: a wallet that scans, pays and receives by LNURL over HTTP, with the sandbox's money.

It knows nothing of the installation that it pays: everything goes over its public addresses, as a real wallet's would.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from commonwatt.adapters.payment.sandbox.network import SandboxNetwork
from commonwatt.kernel import BTC, Amount, Done, Failed, Outcome, Unknown, amount_text
from commonwatt.payments import LnurlClient
from commonwatt.payments.ports import InvoiceState, InvoiceTerms
from commonwatt.protocols.bolt11 import Bolt11Error, decode
from commonwatt.protocols.lnurl import Message, PayRequest, UrlAction, WithdrawRequest, metadata_text

NODE = "wallet"
FEE_LIMIT_MSAT = 100_000
EXPIRY_S = 600
SUPPLY_MSAT = 21_000_000 * 100_000_000_000
_LOOK_S = 0.05


class Kind(StrEnum):
    """What a scanned code leads to."""

    INVOICE = "invoice"
    PAY = "pay"
    WITHDRAW = "withdraw"


@dataclass(frozen=True, slots=True)
class Found:
    """What is behind a scanned code, before anything moves; amounts in msat."""

    kind: Kind
    text: str
    """What was scanned."""
    title: str
    """What it is for, in the words of whoever asks or gives."""
    min_msat: int
    max_msat: int
    comment_allowed: int = 0


@dataclass(frozen=True, slots=True)
class Paid:
    """A payment that left the wallet; `held` while the payee has locked it and not taken it yet."""

    payment_hash: str
    amount_msat: int
    fee_msat: int
    held: bool
    message: str = ""
    link: str = ""


class SandboxWallet:
    """One node's owner with a phone in hand."""

    def __init__(self, network: SandboxNetwork, node: str = NODE, client: LnurlClient | None = None) -> None:
        """Take a node of the network that exists."""
        self.network = network
        self.node = node
        self._client = client or LnurlClient(allow_loopback=True)

    async def balance_msat(self) -> int:
        """Return what can be spent."""
        return await self.network.balance_msat(self.node)

    async def look(self, text: str) -> Outcome[Found]:
        """Say what a scanned or pasted code leads to: an invoice, an LNURL, a Lightning address."""
        plain = _invoice_in(text)
        if plain:
            return _look_at_invoice(plain)
        match await self._client.offer(text):
            case Done(offer):
                return Done(_found(text.strip(), offer))
            case Failed() | Unknown() as other:
                return other

    async def pay(
        self, text: str, amount_msat: int | None = None, comment: str = "", *, wait_s: int = 3
    ) -> Outcome[Paid]:
        """Pay whatever was scanned: an invoice at once, an LNURL after asking it for one.

        `amount_msat` may be left out where only one amount is possible. A payment that the payee holds for longer than
        `wait_s` is `Done` with `held`.
        """
        plain = _invoice_in(text)
        if plain:
            match _look_at_invoice(plain):
                case Done(found):
                    amount = _amount(found, amount_msat)
                    return amount if isinstance(amount, Failed) else await self._send(plain, amount, wait_s)
                case Failed() | Unknown() as other:
                    return other
        match await self._client.offer(text):
            case Done(PayRequest() as request):
                amount = _amount(_found(text, request), amount_msat)
            case Done():
                return Failed("this code gives money; receive it instead", "withdraw")
            case Failed() | Unknown() as other:
                return other
        if isinstance(amount, Failed):
            return amount
        match await self._client.invoice(request, amount, comment):
            case Done(answer):
                return _with_success(await self._send(answer.bolt11, amount, wait_s), answer.success)
            case Failed() | Unknown() as other:
                return other

    async def take(self, text: str, amount_msat: int | None = None, *, wait_s: int = 10) -> Outcome[int]:
        """Receive what a code gives (LUD-03), all of it unless told; return the msat that arrived.

        `Unknown` when the service said yes and the money has not come yet.
        """
        match await self._client.offer(text):
            case Done(WithdrawRequest() as request):
                pass
            case Done():
                return Failed("this code takes money, it gives none", "pay")
            case Failed() | Unknown() as other:
                return other
        amount = request.max_msat if amount_msat is None else amount_msat
        if not max(1, request.min_msat) <= amount <= request.max_msat:
            return Failed(f"from {_sats(request.min_msat)} to {_sats(request.max_msat)} can be taken", "amount")
        preimage = self.network.database.ids.secret(32)
        terms = InvoiceTerms(preimage, amount, request.description or "Change", None, EXPIRY_S, hold=False)
        issued = await self.network.issue(self.node, terms)
        if not isinstance(issued, Done):
            return Failed("the wallet could not make an invoice")
        answer = await self._client.withdraw(request, issued.value.bolt11)
        if isinstance(answer, Failed):
            await self.network.cancel(self.node, terms.payment_hash)
            return answer
        return await self._arrival(terms.payment_hash, wait_s)

    async def receive(self, amount_msat: int | None, description: str = "Sandbox wallet") -> Outcome[str]:
        """Make an invoice; without an amount the payer chooses."""
        terms = InvoiceTerms(self.network.database.ids.secret(32), amount_msat or 1, description, None, EXPIRY_S, False)
        issued = await self.network.issue(self.node, terms, any_amount=amount_msat is None)
        return Done(issued.value.bolt11) if isinstance(issued, Done) else Failed("the wallet could not make an invoice")

    async def history(self, limit: int = 50) -> list[dict[str, Any]]:
        """Return what was paid and received, newest first; amounts in msat."""
        return await self.network.history(self.node, limit)

    async def close(self) -> None:
        """Let go of connections."""
        await self._client.close()

    async def _send(self, bolt11: str, amount_msat: int, wait_s: int) -> Outcome[Paid]:
        payment_hash = decode(bolt11).payment_hash
        outcome = await self.network.pay(
            self.node, bolt11, amount_msat=amount_msat, fee_limit_msat=FEE_LIMIT_MSAT, timeout_s=wait_s
        )
        match outcome:
            case Done(report):
                return Done(Paid(payment_hash.hex(), amount_msat, report.fee_msat, held=False))
            case Failed() as failed:
                return failed
            case Unknown():
                return Done(Paid(payment_hash.hex(), amount_msat, self.network.fees.of(amount_msat), held=True))

    async def _arrival(self, payment_hash: bytes, wait_s: int) -> Outcome[int]:
        for _ in range(max(1, int(wait_s / _LOOK_S))):
            outcome = await self.network.look_up_invoice(self.node, payment_hash)
            if isinstance(outcome, Done) and outcome.value.state is InvoiceState.SETTLED:
                return Done(outcome.value.paid_msat)
            await asyncio.sleep(_LOOK_S)
        return Unknown("the service said yes, and the money is on its way")


def _invoice_in(text: str) -> str:
    """Return the invoice that a code is, or nothing when it is something else."""
    text = text.strip()
    plain = text[10:] if text[:10].lower() == "lightning:" else text
    begins_so = plain[:2].lower() == "ln" and plain[:5].lower() != "lnurl"
    return plain if begins_so and "@" not in plain and "://" not in plain else ""


def _look_at_invoice(text: str) -> Outcome[Found]:
    try:
        invoice = decode(text)
    except Bolt11Error as error:
        return Failed(f"this is no invoice: {error}", "malformed")
    least, most = invoice.amount_msat or 1, invoice.amount_msat or SUPPLY_MSAT
    return Done(Found(Kind.INVOICE, text, invoice.description or "Payment", least, most))


def _found(text: str, offer: PayRequest | WithdrawRequest) -> Found:
    if isinstance(offer, WithdrawRequest):
        return Found(Kind.WITHDRAW, text, offer.description, offer.min_msat, offer.max_msat)
    title = metadata_text(offer.metadata)
    return Found(Kind.PAY, text, title, offer.min_msat, offer.max_msat, offer.comment_allowed)


def _amount(found: Found, amount_msat: int | None) -> int | Failed:
    """Return how much to pay: what was said, or the only amount that there is."""
    if amount_msat is not None:
        return amount_msat
    if found.min_msat == found.max_msat:
        return found.min_msat
    return Failed(f"say how much, from {_sats(found.min_msat)} to {_sats(found.max_msat)}", "amount")


def _sats(msat: int) -> str:
    return amount_text(Amount(BTC, msat))


def _with_success(outcome: Outcome[Paid], success: Message | UrlAction | None) -> Outcome[Paid]:
    """Put what the service shows after the payment beside it (LUD-09)."""
    if not isinstance(outcome, Done) or success is None:
        return outcome
    paid = outcome.value
    message, link = (success.message, "") if isinstance(success, Message) else (success.description, success.url)
    return Done(Paid(paid.payment_hash, paid.amount_msat, paid.fee_msat, paid.held, message, link))

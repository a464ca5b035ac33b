"""LND behind the `Rail` port: invoices and holds, payments followed to their end, changes as they happen.

Where lnd refuses, its invoice or payment state decides what the answer is, not the wording of the refusal; where it is
silent, the answer is Unknown.
"""

from __future__ import annotations

import asyncio
from base64 import b64encode, urlsafe_b64encode
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from commonwatt.adapters.payment.lnd.client import NOT_FOUND, Answer, LndClient, Refusal, Silence
from commonwatt.adapters.payment.lnd.config import LndConfig
from commonwatt.adapters.payment.lnd.following import Following
from commonwatt.adapters.payment.lnd.reading import Odd, read_channels, read_invoice, read_payment, read_request, whole
from commonwatt.kernel import Done, Failed, Outcome, Unknown
from commonwatt.payments.ports import (
    Capabilities,
    InvoiceReport,
    InvoiceState,
    InvoiceTerms,
    IssuedInvoice,
    PaymentReport,
    RailBalance,
)

_NEVER_HEARD = ("unable to locate invoice", "there are no existing invoices", "payment isn't initiated")
"""Sentences of lnd for `not found` that come under the code `unknown`."""
_MARGIN_S = 5.0
"""How much longer than lnd's own limit we listen for the end of a payment."""
MEMO_BYTES_MAX = 639
"""What a BOLT 11 description can hold."""


class LndRail:
    """One LND node as a rail; every method is safe to repeat and none raises for what the node does."""

    name = "lnd"
    capabilities = Capabilities(hold=True, accepted_event=True, description_hash=True, msat=True)

    def __init__(self, config: LndConfig) -> None:
        self.client = LndClient(config)
        self._route_hints = config.route_hints
        self._following = Following(self.client, self.look_up_invoice, streams_max=config.streams_max)

    async def create_invoice(self, terms: InvoiceTerms) -> Outcome[IssuedInvoice]:
        """Issue an invoice; lnd learns the preimage of a plain one, and only the hash of a hold."""
        if terms.amount_msat <= 0:
            return Failed("An invoice is for at least 1 msat.", "amount")
        body: dict[str, Any] = {
            "memo": terms.description.encode()[:MEMO_BYTES_MAX].decode(errors="ignore"),
            "value_msat": str(terms.amount_msat),
            "expiry": str(terms.expiry_s),
            "private": self._route_hints,
        }
        if terms.description_hash is not None:
            body["description_hash"] = _b64(terms.description_hash)
        if terms.hold:
            path, body["hash"] = "/v2/invoices/hodl", _b64(terms.payment_hash)
        else:
            path, body["r_preimage"] = "/v1/invoices", _b64(terms.preimage)
        match await self.client.call("POST", path, body):
            case Silence(reason):
                return Unknown(reason)
            case Refusal() as refusal if refusal.denied:
                return _refused(refusal)
            case Refusal() as refusal:
                # Either it exists, from an earlier call, or lnd does not want it.
                return await self._issued_before(terms, refusal)
            case Answer(body=answer):
                return self._issued(answer.get("payment_request"), terms)

    async def _issued_before(self, terms: InvoiceTerms, refusal: Refusal) -> Outcome[IssuedInvoice]:
        match await self._invoice(terms.payment_hash):
            case Answer(body=answer):
                try:
                    same = whole(answer.get("value_msat")) == terms.amount_msat
                except Odd as odd:
                    return Unknown(f"the node's answer makes no sense: {odd}")
                if not same:
                    return Failed("This preimage belongs to an invoice over another amount.", "conflict")
                return self._issued(answer.get("payment_request"), terms)
            case Refusal() as second if _unheard(second):
                return _refused(refusal)
            case Refusal() as second:
                return Unknown(second.reason)
            case Silence(reason):
                return Unknown(reason)

    def _issued(self, request: object, terms: InvoiceTerms) -> Outcome[IssuedInvoice]:
        if not isinstance(request, str) or not request.startswith("ln"):
            return Unknown("the node's answer holds no invoice")
        self._following.add(terms.payment_hash, hold=terms.hold)
        return Done(IssuedInvoice(request, terms.payment_hash))

    async def look_up_invoice(self, payment_hash: bytes) -> Outcome[InvoiceReport]:
        """Tell an invoice's state; one that is still undecided is followed from now on, also after our restart."""
        match await self._invoice(payment_hash):
            case Silence(reason):
                return Unknown(reason)
            case Refusal() as refusal:
                return _unheard_or_unknown(refusal, "The node never heard of this invoice.")
            case Answer(body=answer):
                try:
                    report = read_invoice(answer, payment_hash)
                except Odd as odd:
                    return Unknown(f"the node's answer makes no sense: {odd}")
                if report.state in {InvoiceState.OPEN, InvoiceState.ACCEPTED}:
                    # lnd does not say which invoices are holds; one whose preimage it has not seen is.
                    self._following.add(payment_hash, hold=not answer.get("r_preimage"))
                return Done(report)

    async def _invoice(self, payment_hash: bytes) -> Answer | Refusal | Silence:
        return await self.client.call("GET", f"/v2/invoices/lookup?payment_hash={_path(payment_hash)}")

    async def settle_invoice(self, preimage: bytes) -> Outcome[None]:
        """Take the money of an accepted hold."""
        terms = InvoiceTerms(preimage, 0, "", None, 0, hold=True)
        match await self.client.call("POST", "/v2/invoices/settle", {"preimage": _b64(preimage)}):
            case Answer():
                return Done(None)
            case Silence(reason):
                return Unknown(reason)
            case Refusal() as refusal:
                return await self._decided(terms.payment_hash, InvoiceState.SETTLED, refusal)

    async def cancel_invoice(self, payment_hash: bytes) -> Outcome[None]:
        """Give a hold back, or make an open invoice unpayable."""
        match await self.client.call("POST", "/v2/invoices/cancel", {"payment_hash": _b64(payment_hash)}):
            case Answer():
                return Done(None)
            case Silence(reason):
                return Unknown(reason)
            case Refusal() as refusal:
                return await self._decided(payment_hash, InvoiceState.CANCELLED, refusal)

    async def _decided(self, payment_hash: bytes, wanted: InvoiceState, refusal: Refusal) -> Outcome[None]:
        """Let the invoice's state say what a refused settle or cancel means."""
        match await self.look_up_invoice(payment_hash):
            case Done(value=report) if report.state is wanted:
                return Done(None)
            case Done(value=report) if report.state is InvoiceState.ACCEPTED:
                return Unknown(refusal.reason)
            case Done(value=report):
                return Failed(f"The invoice is {report.state}: {refusal.reason}", report.state.value)
            case other:
                return other

    async def pay(
        self, bolt11: str, *, amount_msat: int, fee_limit_msat: int, timeout_s: int
    ) -> Outcome[PaymentReport]:
        """Pay an invoice once and follow the payment to its end, or until `timeout_s` and a little more have passed."""
        named = await self._decode(bolt11)
        if not isinstance(named, tuple):
            return named
        payment_hash, invoice_msat = named
        body: dict[str, Any] = {
            "payment_request": bolt11,
            "timeout_seconds": timeout_s,
            "fee_limit_msat": str(fee_limit_msat),
        }
        if invoice_msat == 0:
            body["amt_msat"] = str(amount_msat)
        elif invoice_msat != amount_msat:
            return Failed(f"The invoice is over {invoice_msat} msat, not {amount_msat} msat.", "amount")
        deadline = asyncio.get_running_loop().time() + timeout_s + _MARGIN_S
        outcome = await self._follow("POST", "/v2/router/send", body, payment_hash, deadline)
        if isinstance(outcome, Refusal):
            return await self._sent_before(payment_hash, outcome, deadline)
        if isinstance(outcome, Unknown) and asyncio.get_running_loop().time() < deadline:
            return await self._track(payment_hash, outcome, deadline)
        return outcome

    async def _decode(self, bolt11: str) -> tuple[bytes, int] | Failed | Unknown:
        """Let the node read an invoice: payment hash, and amount in msat (0 when it names none)."""
        if not bolt11.isascii() or not bolt11.isalnum() or len(bolt11) > _INVOICE_LENGTH_MAX:
            return Failed("This is no Lightning invoice.", "bad-invoice")
        match await self.client.call("GET", f"/v1/payreq/{bolt11}"):
            case Silence(reason):
                return Unknown(reason)
            case Refusal() as refusal if refusal.denied:
                return _refused(refusal)
            case Refusal(reason=reason):
                return Failed(f"The node cannot read this invoice: {reason}", "bad-invoice")
            case Answer(body=answer):
                try:
                    return read_request(answer)
                except Odd as odd:
                    return Unknown(f"the node's answer makes no sense: {odd}")

    async def _sent_before(self, payment_hash: bytes, refusal: Refusal, deadline: float) -> Outcome[PaymentReport]:
        """Tell what a refused send means: paid or in flight since an earlier call, or never begun."""
        match await self.look_up_payment(payment_hash):
            case Failed(code="missing"):
                return _refused(refusal)
            case Unknown() as unknown:
                return await self._track(payment_hash, unknown, deadline)
            case known:
                return known

    async def _track(self, payment_hash: bytes, before: Unknown, deadline: float) -> Outcome[PaymentReport]:
        """Follow a payment by its hash after the first stream was lost; what cannot be told stays Unknown."""
        outcome = await self._follow("GET", f"/v2/router/track/{_path(payment_hash)}", None, payment_hash, deadline)
        # "Never heard of" is no proof here: the lost request may still be under way to the node.
        return before if isinstance(outcome, Refusal | Unknown) else outcome

    async def _follow(
        self, method: str, path: str, body: dict[str, Any] | None, payment_hash: bytes, deadline: float
    ) -> Outcome[PaymentReport] | Refusal:
        left = max(0.1, deadline - asyncio.get_running_loop().time())
        async with aclosing(self.client.stream(method, path, body, timeout_s=left)) as stream:
            async for reply in stream:
                match reply:
                    case Refusal():
                        return reply
                    case Silence(reason):
                        return Unknown(reason)
                    case Answer(body=answer):
                        outcome = _payment(answer, payment_hash)
                        if not isinstance(outcome, Unknown):
                            return outcome
        return Unknown("the node broke off before the payment ended")

    async def look_up_payment(self, payment_hash: bytes) -> Outcome[PaymentReport]:
        """Tell how a payment ended; the node answers with the state of now first."""
        path = f"/v2/router/track/{_path(payment_hash)}"
        async with aclosing(self.client.stream("GET", path, timeout_s=self.client.timeout_s)) as stream:
            async for reply in stream:
                match reply:
                    case Refusal():
                        return _unheard_or_unknown(reply, "The node never sent this payment.")
                    case Silence(reason):
                        return Unknown(reason)
                    case Answer(body=answer):
                        return _payment(answer, payment_hash)
        return Unknown("the node said nothing about the payment")

    async def watch(self) -> AsyncGenerator[InvoiceReport]:
        """Yield invoices as they change, for ever."""
        async with aclosing(self._following.reports()) as reports:
            async for report in reports:
                yield report

    async def balance(self) -> Outcome[RailBalance]:
        """Tell what active channels could send and receive now."""
        match await self.client.call("GET", "/v1/channels?active_only=true"):
            case Answer(body=answer):
                try:
                    return Done(read_channels(answer))
                except Odd as odd:
                    return Unknown(f"the node's answer makes no sense: {odd}")
            case Refusal(reason=reason) | Silence(reason):
                return Unknown(reason)

    async def close(self) -> None:
        """Stop following and let go of connections."""
        await self._following.close()
        await self.client.close()


_INVOICE_LENGTH_MAX = 7089
"""What one QR code can hold (BOLT 11 sets no limit of its own)."""


def _payment(answer: Any, payment_hash: bytes) -> Outcome[PaymentReport]:
    try:
        return read_payment(answer, payment_hash)
    except Odd as odd:
        return Unknown(f"the node's answer makes no sense: {odd}")


def _unheard(refusal: Refusal) -> bool:
    return refusal.code == NOT_FOUND or any(words in refusal.reason for words in _NEVER_HEARD)


def _unheard_or_unknown(refusal: Refusal, sentence: str) -> Failed | Unknown:
    """Read a refused look-up: only `not found` is a fact; anything else tells nothing about the money."""
    return Failed(sentence, "missing") if _unheard(refusal) else Unknown(refusal.reason)


def _refused(refusal: Refusal) -> Failed:
    if refusal.denied:
        return Failed(f"The macaroon may not do this: {refusal.reason}", "denied")
    return Failed(refusal.reason, "refused")


def _b64(value: bytes) -> str:
    return b64encode(value).decode()


def _path(value: bytes) -> str:
    return urlsafe_b64encode(value).decode()

"""`/wallet`: the demo's phone as a page: scan or paste, see what it is, confirm the amount, pay or receive.

Works without script: every step is a form. Only there while the sandbox is a rail; every page says that it is play
money.
"""

from __future__ import annotations

from dataclasses import asdict
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from litestar import get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Template

from commonwatt.adapters.payment.sandbox.api import AMOUNT_MAX_MSAT, lines, msat, wallet_of
from commonwatt.adapters.payment.sandbox.network import SandboxNetwork
from commonwatt.adapters.payment.sandbox.wallet import Kind
from commonwatt.adapters.payment.sandbox.wording import reason_words, words_for
from commonwatt.kernel import Done, Failed, Unknown, said

TEMPLATE = "payments/wallet.html"
TEXT_MAX = 5000
Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]


@get("/wallet", include_in_schema=False)
async def show_wallet(sandbox: SandboxNetwork, code: str = "") -> Template:
    """Show balance and history; with `?code=` already what it leads to."""
    return await _page(sandbox, code) if code else await _page(sandbox)


@post("/wallet/scan", status_code=200, include_in_schema=False)
async def scan(sandbox: SandboxNetwork, data: Form) -> Template:
    """Show what a code leads to, and ask for the amount."""
    return await _page(sandbox, data.get("code", ""))


@post("/wallet/pay", status_code=200, include_in_schema=False)
async def pay(sandbox: SandboxNetwork, data: Form) -> Template:
    """Pay what was confirmed."""
    code, amount = data.get("code", "")[:TEXT_MAX], read_sats(data.get("sats", ""))
    if amount is None:
        return await _page(sandbox, code, wrong="amount")
    match await wallet_of(sandbox).pay(code, amount, data.get("comment", "")):
        case Done(paid):
            return await _page(sandbox, paid={**asdict(paid), "amount": msat(paid.amount_msat)})
        case Failed() | Unknown() as other:
            return await _page(sandbox, code, problem=words_for(other))


@post("/wallet/take", status_code=200, include_in_schema=False)
async def take(sandbox: SandboxNetwork, data: Form) -> Template:
    """Receive what a code gives."""
    code, amount = data.get("code", "")[:TEXT_MAX], read_sats(data.get("sats", ""))
    if amount is None:
        return await _page(sandbox, code, wrong="amount")
    match await wallet_of(sandbox).take(code, amount):
        case Done(arrived):
            return await _page(sandbox, taken=msat(arrived))
        case Failed() as failed:
            return await _page(sandbox, code, problem=words_for(failed))
        case Unknown(reason):
            return await _page(sandbox, waits=reason)


@post("/wallet/receive", status_code=200, include_in_schema=False)
async def receive(sandbox: SandboxNetwork, data: Form) -> Template:
    """Ask for an amount, by a code that somebody else pays."""
    said = data.get("sats", "").strip()
    amount = read_sats(said) if said else None
    if said and amount is None:
        return await _page(sandbox, wrong="receive")
    outcome = await wallet_of(sandbox).receive(amount, data.get("description", "")[:200] or "Sandbox wallet")
    return await _page(sandbox, invoice=outcome.value if isinstance(outcome, Done) else "")


def read_sats(text: str) -> int | None:
    """Read an amount in satoshi, up to three decimals, as msat; None for anything else."""
    try:
        amount = Decimal(text.strip().replace(",", ".")) * 1000
    except InvalidOperation:
        return None
    if not amount.is_finite() or amount != amount.to_integral_value() or not 0 < amount <= AMOUNT_MAX_MSAT:
        return None
    return int(amount)


async def _page(sandbox: SandboxNetwork, code: str = "", **more: Any) -> Template:
    wallet = wallet_of(sandbox)
    context: dict[str, Any] = {
        "code": code.strip()[:TEXT_MAX],
        "found": None,
        "problem": "",
        "paid": None,
        "taken": None,
        "waits": "",
        "invoice": "",
        "wrong": "",
        **more,
    }
    if context["code"]:
        match await wallet.look(context["code"]):
            case Done(found):
                fixed = found.min_msat == found.max_msat
                suggested = found.max_msat if fixed or found.kind is Kind.WITHDRAW else None
                context["found"] = {
                    "kind": str(found.kind),
                    "title": found.title,
                    "min": msat(found.min_msat),
                    "max": msat(min(found.max_msat, AMOUNT_MAX_MSAT)),
                    "fixed": fixed,
                    "sats": "" if suggested is None else sats_text(suggested),
                    "at_most": said("You can receive up to %(sats)s sats.", sats=Decimal(found.max_msat).scaleb(-3)),
                    "comment_allowed": found.comment_allowed,
                }
            case Failed() | Unknown() as other:
                context["problem"] = context["problem"] or words_for(other)
    context["balance"] = msat(await wallet.balance_msat())
    context["history"] = [
        {**line, "reason": reason_words(line["reason"]) if line["reason"] else ""}
        for line in lines(await wallet.history(30))
    ]
    return Template(TEMPLATE, context=context)


def sats_text(amount_msat: int) -> str:
    """Write msat as satoshi for a form's field, `1234` or `1234.567`."""
    whole, part = divmod(amount_msat, 1000)
    return f"{whole}.{part:03d}".rstrip("0") if part else str(whole)


ROUTES: list[Any] = [show_wallet, scan, pay, take, receive]

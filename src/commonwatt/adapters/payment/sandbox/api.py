"""`/api/v1/sandbox/wallet`: the demo's phone for programs. Play money, so nobody has to sign in."""

from __future__ import annotations

from typing import Annotated, Any, TypedDict

import msgspec
from litestar import Router, get, post
from litestar.params import Parameter

from commonwatt.adapters.payment.sandbox.errors import fault_of
from commonwatt.adapters.payment.sandbox.network import SandboxNetwork
from commonwatt.adapters.payment.sandbox.wallet import SandboxWallet
from commonwatt.kernel import BTC, Amount, Done, Failed, Instant, Outcome, Unknown
from commonwatt.kit.web import Body

AMOUNT_MAX_MSAT = 100_000_000_000_000
Msat = Annotated[int, msgspec.Meta(ge=1, le=AMOUNT_MAX_MSAT)]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=5000)]


class Scan(Body, frozen=True):
    """What was scanned or pasted: an invoice, an LNURL or a Lightning address."""

    text: Text


class Pay(Body, frozen=True):
    """What to pay. `amount_msat` may be left out where only one amount is possible."""

    text: Text
    amount_msat: Msat | None = None
    comment: Annotated[str, msgspec.Meta(max_length=500)] = ""
    wait_s: Annotated[int, msgspec.Meta(ge=0, le=30)] = 3


class Take(Body, frozen=True):
    """A code that gives money. All of it is taken unless `amount_msat` says less."""

    text: Text
    amount_msat: Msat | None = None
    wait_s: Annotated[int, msgspec.Meta(ge=0, le=30)] = 10


class Receive(Body, frozen=True):
    """An invoice to make; without an amount the payer chooses."""

    amount_msat: Msat | None = None
    description: Annotated[str, msgspec.Meta(max_length=200)] = "Sandbox wallet"


class Move(TypedDict):
    """A payment in the wallet's history: `way` is `in` or `out`."""

    way: str
    amount: Amount
    fee: Amount
    state: str
    reason: str | None
    description: str
    payment_hash: str
    at: Instant


class WalletShown(TypedDict):
    """What the wallet has, and what it paid and received, newest first."""

    balance: Amount
    history: list[Move]


class FoundShown(TypedDict):
    """What is behind a code (`invoice`, `pay` or `withdraw`), how much may move, and how long a comment may be."""

    kind: str
    title: str
    min: Amount
    max: Amount
    comment_allowed: int


class PaidShown(TypedDict):
    """A payment that left the wallet; `held` while the payee has locked it and not taken it yet."""

    payment_hash: str
    amount: Amount
    fee: Amount
    held: bool
    message: str
    link: str
    balance: Amount


class TakenShown(TypedDict):
    """What arrived, and what the wallet has now."""

    amount: Amount
    balance: Amount


class ReceiveShown(TypedDict):
    """An invoice that pays into the wallet."""

    bolt11: str


def wallet_of(sandbox: SandboxNetwork) -> SandboxWallet:
    """Return the one wallet of a network that pages and programs share."""
    if sandbox.phone is None:
        sandbox.phone = SandboxWallet(sandbox)
    return sandbox.phone


def known(outcome: Outcome[Any], *, moves: bool = False) -> Any:
    """Return the value of what is done. Raises WalletRefused and WalletSilent, or WalletWaits when it `moves` money."""
    match outcome:
        case Done(value):
            return value
        case Failed() | Unknown() as other:
            raise fault_of(other, moves=moves)


def msat(units: int) -> Amount:
    """Return an amount of bitcoin."""
    return Amount(BTC, units)


def lines(history: list[dict[str, Any]]) -> list[Move]:
    """Return history in our words: amounts with their asset, instants."""
    return [
        {
            "way": line["way"],
            "amount": msat(line["amount_msat"]),
            "fee": msat(line["fee_msat"]),
            "state": line["state"],
            "reason": line["reason"],
            "description": line["description"],
            "payment_hash": line["payment_hash"],
            "at": Instant(line["at_ms"]),
        }
        for line in history
    ]


@get("/", summary="Show the sandbox wallet's balance and history")
async def show_wallet(
    sandbox: SandboxNetwork, limit: Annotated[int, Parameter(ge=1, le=500, description="rows at most")] = 50
) -> WalletShown:
    """Return what the wallet has, and what it paid and received, newest first."""
    wallet = wallet_of(sandbox)
    return {"balance": msat(await wallet.balance_msat()), "history": lines(await wallet.history(limit))}


@post("/scan", status_code=200, summary="Say what a code leads to")
async def scan(sandbox: SandboxNetwork, data: Scan) -> FoundShown:
    """Look at a code; nothing is paid."""
    found = known(await wallet_of(sandbox).look(data.text))
    return {
        "kind": found.kind,
        "title": found.title,
        "min": msat(found.min_msat),
        "max": msat(found.max_msat),
        "comment_allowed": found.comment_allowed,
    }


@post("/pay", status_code=200, summary="Pay a code with play money")
async def pay(sandbox: SandboxNetwork, data: Pay) -> PaidShown:
    """Pay; `held` says that the payee has locked the money and not taken it yet."""
    wallet = wallet_of(sandbox)
    paid = known(await wallet.pay(data.text, data.amount_msat, data.comment, wait_s=data.wait_s))
    return {
        "payment_hash": paid.payment_hash,
        "amount": msat(paid.amount_msat),
        "fee": msat(paid.fee_msat),
        "held": paid.held,
        "message": paid.message,
        "link": paid.link,
        "balance": msat(await wallet.balance_msat()),
    }


@post("/take", status_code=200, summary="Receive what a code gives")
async def take(sandbox: SandboxNetwork, data: Take) -> TakenShown:
    """Hand an invoice in and wait for the money."""
    wallet = wallet_of(sandbox)
    arrived = known(await wallet.take(data.text, data.amount_msat, wait_s=data.wait_s), moves=True)
    return {"amount": msat(arrived), "balance": msat(await wallet.balance_msat())}


@post("/receive", status_code=200, summary="Make an invoice of the wallet's")
async def receive(sandbox: SandboxNetwork, data: Receive) -> ReceiveShown:
    """Return an invoice that pays into the wallet."""
    return {"bolt11": known(await wallet_of(sandbox).receive(data.amount_msat, data.description))}


ROUTES: list[Any] = [
    Router("/api/v1/sandbox/wallet", route_handlers=[show_wallet, scan, pay, take, receive], tags=["sandbox"])
]

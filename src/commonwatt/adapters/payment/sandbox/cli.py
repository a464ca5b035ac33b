"""`commonwatt wallet`: the demo's phone in the terminal. It speaks to a running server, as a phone would."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import click

from commonwatt.adapters.payment.sandbox.errors import WalletRefused, WalletSilent, WalletWaits
from commonwatt.kernel import BTC, Amount, Fault, Instant, Unavailable, amount_text
from commonwatt.kit.cli import Program, instant_text, server_option, table, with_program
from commonwatt.kit.reason import reason_of

_TIMEOUT_S = 45
_KINDS: dict[str, type[Fault]] = {one.slug: one for one in (WalletRefused, WalletSilent, WalletWaits)}
_PATH = "/api/v1/sandbox/wallet"


class WalletUnreachable(Unavailable):
    """No server with a sandbox answers where the wallet looks for it."""

    slug = "wallet-unreachable"
    title = "The sandbox wallet does not answer"


@click.group()
@server_option("--url")
def wallet(*, server: str | None) -> None:
    """Pay and receive with the sandbox wallet: play money, over a running server."""
    del server  # the option keeps it for the commands


@wallet.command("balance")
@server_option("--url")
@with_program()
def balance(program: Program, server: str | None) -> None:
    """Show what the wallet has."""
    answer = _ask(program, server, "/?limit=1")
    program.answer({"balance": answer["balance"]}, lambda: _money(answer["balance"]))


@wallet.command("scan")
@click.argument("code")
@server_option("--url")
@with_program()
def scan(program: Program, code: str, server: str | None) -> None:
    """Say what CODE leads to: an invoice, an LNURL or a Lightning address. Nothing is paid."""
    found = _ask(program, server, "/scan", {"text": code})
    verb = "gives" if found["kind"] == "withdraw" else "takes"
    program.answer(found, f"{found['title']}\n{verb} {_span(found)}")


@wallet.command("pay")
@click.argument("code")
@click.option("--sats", type=click.IntRange(1), help="How much; not needed where only one amount is possible.")
@click.option("--msat", type=click.IntRange(1), help="How much, in millisatoshi.")
@click.option("--comment", default="", help="A line for whoever is paid, such as a number plate.")
@server_option("--url")
@with_program(confirms=True)
def pay(program: Program, code: str, sats: int | None, msat: int | None, comment: str, server: str | None) -> None:
    """Pay CODE."""
    found = _ask(program, server, "/scan", {"text": code})
    if sats and msat:
        raise click.UsageError("Say how much by --sats or by --msat, not by both.")
    amount_msat = msat or (1000 * sats if sats else None)
    if amount_msat is None and found["min"]["units"] == found["max"]["units"]:
        amount_msat = found["min"]["units"]
    if amount_msat is None:
        raise click.UsageError(f"Say how much with --sats: {_span(found)}.")
    if not found["min"]["units"] <= amount_msat <= found["max"]["units"]:
        much = amount_text(Amount(BTC, amount_msat))
        raise WalletRefused(f"It takes {_span(found)}, not {much}. Nothing was paid.")
    undo = "it cannot be taken back; it is play money"
    program.confirm("This pays with the sandbox wallet.", amount=Amount(BTC, amount_msat), to=found["title"], undo=undo)
    paid = _ask(program, server, "/pay", {"text": code, "amount_msat": amount_msat, "comment": comment})
    state = "locked until the other side takes it" if paid["held"] else "paid"
    more = f"\n{paid['message']}\n{paid['link']}".rstrip()
    program.answer(paid, f"{_money(paid['amount'])} {state}; {_money(paid['balance'])} left.{more}")


@wallet.command("receive")
@click.argument("code", required=False)
@click.option("--sats", type=click.IntRange(1), help="How much; all of it, or any amount, unless told.")
@server_option("--url")
@with_program()
def receive(program: Program, code: str | None, sats: int | None, server: str | None) -> None:
    """Take what CODE gives; without a code, make an invoice that pays into the wallet."""
    amount = {"amount_msat": 1000 * sats} if sats else {}
    if code is None:
        made = _ask(program, server, "/receive", amount)
        program.answer(made, made["bolt11"])
        return
    taken = _ask(program, server, "/take", {"text": code, **amount})
    program.answer(taken, f"{_money(taken['amount'])} received; {_money(taken['balance'])} now.")


@wallet.command("history")
@click.option("--limit", type=click.IntRange(1, 500), default=20, show_default=True)
@server_option("--url")
@with_program()
def history(program: Program, limit: int, server: str | None) -> None:
    """Show what was paid and received, newest first."""
    lines = _ask(program, server, f"/?limit={limit}")["history"]
    heads = ("when", "what", "amount", "state")
    rows = [
        (
            instant_text(Instant.parse(line["at"])),
            line["description"],
            _money(line["amount"], -1 if line["way"] == "out" else 1),
            line["state"],
        )
        for line in lines
    ]
    program.answer(lines, lambda: table(heads, rows) if rows else "Nothing was paid or received yet.")


def _span(found: dict[str, Any]) -> str:
    """Return which amounts a code takes or gives."""
    least, most = _money(found["min"]), _money(found["max"])
    return least if least == most else f"{least} to {most}"


def _money(amount: dict[str, Any], sign: int = 1) -> str:
    return amount_text(Amount(BTC, sign * amount["units"]))


def _ask(program: Program, server: str | None, path: str, content: dict[str, Any] | None = None) -> Any:
    """Ask the running server. Raises WalletUnreachable, or the wallet's own problem in its words."""
    url = program.server(server)
    body = None if content is None else json.dumps(content).encode()
    request = urllib.request.Request(  # noqa: S310 (`Program.server` checks it)
        url + _PATH + path, body, {"Content-Type": "application/json", "Accept": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310 (as above)
            return json.loads(answer.read())
    except urllib.error.HTTPError as error:
        raise _problem(error) from None
    except (OSError, ValueError) as error:
        raise WalletUnreachable(
            f"No answer from {url}: {reason_of(error)}. Start one with `commonwatt demo`, or name it with --server.",
            url=url,
        ) from None


def _problem(error: urllib.error.HTTPError) -> Fault:
    """Return what the server said: its own kind of problem where we know it, and its status for the exit code."""
    try:
        problem = json.loads(error.read())
        detail, kind = str(problem["detail"]), str(problem["slug"])
    except (ValueError, LookupError, TypeError):
        detail, kind = f"The server answered {error.code}; it may have no sandbox.", ""
    return _KINDS.get(kind, WalletRefused)(detail, http_status=error.code)

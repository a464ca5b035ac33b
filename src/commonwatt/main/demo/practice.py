"""`commonwatt demo --lnd`: the town paid over two real lnd nodes, and the driver's node as a wallet in the terminal.

The shop's node is the installation's; the driver's is yours: `commonwatt demo --lnd --pay CODE` pays or takes with it
whatever a code of the demo says. The coins are worth nothing (regtest).
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import msgspec

from commonwatt.adapters.payment.lnd import LndConfig, LndRail
from commonwatt.adapters.payment.lnd.binaries import PeerMissing, missing, peers_directory
from commonwatt.adapters.payment.lnd.regtest import LightningNetwork, Node, PracticeNetworkDown
from commonwatt.kernel import Done, Failed, Outcome, Refused, Unknown
from commonwatt.kit.running import only_server
from commonwatt.main.config import PLAY_RATE, Config, Lnd
from commonwatt.payments import LnurlClient
from commonwatt.payments.ports import InvoiceTerms
from commonwatt.protocols.bolt11 import Bolt11Error, decode
from commonwatt.protocols.lnurl import PayRequest, UrlAction, WithdrawRequest

T = TypeVar("T")
FOLDER, DRIVER = "lnd", "driver.json"
FEE_LIMIT_MSAT = 100_000
PATIENCE_S = 120
"""A payment is held until the car takes its first energy, two minutes at most."""
_LOOK_S = 0.2


class PracticePaymentRefused(Refused):
    """The driver's node could not pay, or was not paid."""

    slug = "practice-payment-refused"
    title = "The practice payment did not happen"


@dataclass(frozen=True, slots=True)
class Driver:
    """Where the driver's node of a running demo is found; written to a file beside the network."""

    url: str
    macaroon_path: str
    tls_cert_path: str

    def rail(self) -> LndRail:
        """Return the node as a rail; its owner closes it."""
        return LndRail(LndConfig.from_files(self.url, Path(self.macaroon_path), Path(self.tls_cert_path)))


@contextlib.asynccontextmanager
async def practice_network(data: Path) -> AsyncIterator[LightningNetwork]:
    """Run the network that lives below a data directory; it goes on where it stopped.

    Raises PeerMissing before anything starts, DataInUse when another demo runs it, PracticeNetworkDown.
    """
    need_peers()
    folder = data / FOLDER
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with only_server(folder):
        network = LightningNetwork(folder)
        starting = asyncio.ensure_future(asyncio.to_thread(network.__enter__))
        note = folder / DRIVER
        try:
            await asyncio.shield(starting)
            note.write_bytes(msgspec.json.encode(_driver(network.driver)))
            yield network
        finally:
            note.unlink(missing_ok=True)
            await asyncio.to_thread(network.stop)
            if not starting.done() or starting.exception() is not None:  # interrupted: it may have begun one more
                await asyncio.gather(starting, return_exceptions=True)
                await asyncio.to_thread(network.stop)


def need_peers() -> None:
    """Raise PeerMissing where the programs of the practice network are not built."""
    if absent := missing():
        raise PeerMissing(
            f"{' and '.join(absent)} not found in {peers_directory()}. Run `make peers` in a clone of Commonwatt; it "
            "builds both once. `commonwatt demo` without --lnd needs neither.",
            program=absent[0],
        )


def over_lnd(config: Config, shop: Node) -> Config:
    """Return a demo's configuration with the shop's node as its only rail, and a price of bitcoin that needs nobody."""
    return replace(
        config,
        payments=replace(config.payments, rails=("lnd",)),
        lnd=Lnd(url=shop.rest_url, macaroon_path=shop.macaroon_path, tls_cert_path=shop.tls_cert_path),
        rates=replace(config.rates, fixed=config.rates.fixed or PLAY_RATE),
    )


def find_driver(data: Path) -> Driver:
    """Return the driver's node of the demo that runs over this data; raises PracticeNetworkDown when none does."""
    try:
        return msgspec.json.decode((data / FOLDER / DRIVER).read_bytes(), type=Driver)
    except (OSError, msgspec.MsgspecError):
        raise PracticeNetworkDown(
            f"No demo runs over lnd with its data in {data}. Start `commonwatt demo --lnd` in another terminal first."
        ) from None


async def use_code(driver: Driver, code: str, amount_msat: int | None) -> str:
    """Pay or take with the driver's node what a code says: an invoice, or an LNURL either way; return what happened.

    `amount_msat` may be left out where the code leaves no choice; of change all is taken. Raises
    PracticePaymentRefused.
    """
    rail, client = driver.rail(), LnurlClient(allow_loopback=True)
    try:
        code = code.strip().removeprefix("lightning:")
        if code[:2].lower() == "ln" and code[:5].lower() != "lnurl":
            return await _pay(rail, code, amount_msat)
        offer = _done(await client.offer(code))
        if isinstance(offer, WithdrawRequest):
            return await _take(rail, client, offer)
        return await _pay_offer(rail, client, offer, amount_msat)
    finally:
        await client.close()
        await rail.close()


async def _pay_offer(rail: LndRail, client: LnurlClient, offer: PayRequest, amount_msat: int | None) -> str:
    if amount_msat is None and offer.min_msat != offer.max_msat:
        raise PracticePaymentRefused(
            f"Say how much with --sats: {-(-offer.min_msat // 1000)} to {offer.max_msat // 1000} are taken."
        )
    answer = _done(await client.invoice(offer, offer.min_msat if amount_msat is None else amount_msat))
    said = await _pay(rail, answer.bolt11, amount_msat)
    return f"{said} Your charge: {answer.success.url}" if isinstance(answer.success, UrlAction) else said


async def _pay(rail: LndRail, bolt11: str, amount_msat: int | None) -> str:
    try:
        asked = decode(bolt11).amount_msat or amount_msat
    except Bolt11Error as error:
        raise PracticePaymentRefused(f"This is no invoice: {error}. Copy it again.") from None
    if not asked:
        raise PracticePaymentRefused("The invoice names no amount. Say how much with --sats.")
    outcome = await rail.pay(bolt11, amount_msat=asked, fee_limit_msat=FEE_LIMIT_MSAT, timeout_s=PATIENCE_S)
    if isinstance(outcome, Unknown):
        return f"{asked} msat are on their way; they are held until energy flows, or come back ({outcome.reason})."
    return f"Paid {_done(outcome).amount_msat} msat."


async def _take(rail: LndRail, client: LnurlClient, offer: WithdrawRequest) -> str:
    terms = InvoiceTerms(secrets.token_bytes(32), offer.max_msat, offer.description, None, 600, hold=False)
    invoice = _done(await rail.create_invoice(terms))
    _done(await client.withdraw(offer, invoice.bolt11))
    for _ in range(int(PATIENCE_S / _LOOK_S)):
        found = await rail.look_up_invoice(terms.payment_hash)
        if isinstance(found, Done) and found.value.paid_msat:
            return f"Received {found.value.paid_msat} msat."
        await asyncio.sleep(_LOOK_S)
    return f"{offer.max_msat} msat are on their way; the service has said yes."


def _done(outcome: Outcome[T]) -> T:
    match outcome:
        case Done(value):
            return value
        case Failed(reason, _) | Unknown(reason):
            raise PracticePaymentRefused(f"It did not happen: {reason.rstrip('.')}.")


def _driver(node: Node) -> Driver:
    return Driver(node.rest_url, str(node.macaroon_path), str(node.tls_cert_path))

"""Drivers who know the server only by its addresses, and write down what it has acknowledged to them."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field

import aiohttp
from tests.crash.server import Server, count

from commonwatt.adapters.station.virtual.car import Car
from commonwatt.adapters.station.virtual.station import VirtualStation
from commonwatt.protocols.bolt11 import decode

WALLET = "/api/v1/sandbox/wallet"


@dataclass
class Acknowledged:
    """What somebody was told, and may rely on."""

    invoices: set[str] = field(default_factory=set)
    """Payment hashes of invoices that an LNURL callback answered with."""
    claims: set[str] = field(default_factory=set)
    """Payment hashes of invoices for which a withdraw callback said OK."""

    def missing(self, sql, stations) -> list[str]:
        """Return what was acknowledged and is not in the database."""
        asked = "SELECT count(*) FROM payments_invoices WHERE payment_hash = ? AND bolt11 <> ''"
        claimed = "SELECT count(*) FROM payments_payouts WHERE payment_hash = ?"
        lost = [f"invoice {one}" for one in sorted(self.invoices) if not count(sql, asked, one)]
        lost += [f"claim {one}" for one in sorted(self.claims) if not count(sql, claimed, one)]
        for station in stations:
            for truth in station.truths:
                known = "SELECT count(*) FROM station_transaction WHERE id = ? AND station = ?"
                if truth.start_answered and not count(sql, known, truth.transaction_id, station.identity):
                    lost.append(f"start {truth.key} of {station.identity}")
                ended = f"{known} AND stopped_ms IS NOT NULL"
                if truth.stop_answered and not count(sql, ended, truth.transaction_id, station.identity):
                    lost.append(f"stop {truth.key} of {station.identity}")
        return lost


def flowed_wh(station: VirtualStation, number: int) -> int:
    """Return what the charge at a connector has taken so far; 0 without one."""
    connector = station.connector(number)
    return connector.true_meter_wh - connector.transaction.true_start_wh if connector.transaction else 0


class Driver:
    """One person after the other at one connector: pay, plug, charge a little, unplug, take the change."""

    def __init__(self, server: Server, station: VirtualStation, number: int, heard: Acknowledged, seed: str) -> None:
        self.server, self.station, self.number, self.heard = server, station, number, heard
        self.name = f"{station.identity.lower()}-{number}"
        self.chance = random.Random(seed)
        self.visits = 0

    async def live(self, session: aiohttp.ClientSession, rest: asyncio.Event) -> None:
        """Visit until it is time to rest; then the last one leaves too."""
        while not rest.is_set():
            await self.server.ready.wait()
            await self._visit(session)
            await asyncio.sleep(self.chance.uniform(0, 0.3))
        await self.station.unplug(self.number)

    async def _visit(self, session: aiohttp.ClientSession) -> None:
        amount = self.chance.choice([100_000, 250_000, 5_000_000])
        answer = await self.server.get(session, f"/lnurl/pay/{self.name}/callback", amount=str(amount))
        if not answer or "pr" not in answer:
            await asyncio.sleep(0.2)
            return
        self.heard.invoices.add(decode(answer["pr"]).payment_hash.hex())
        secret = answer["successAction"]["url"].rpartition("/")[2]
        if not await self._pay(session, answer["pr"]):
            return
        self.visits += 1
        await self.station.plug(self.number, Car(stored_wh=10_000, power_w_max=22_000.0))
        enough_wh = self.chance.choice([1, 4, 12])
        for _ in range(60):
            if flowed_wh(self.station, self.number) >= enough_wh:
                break
            await asyncio.sleep(0.1)
        if self.chance.random() < 0.7:
            await self.station.unplug(self.number)
        await self._take_change(session, secret)
        await self.station.unplug(self.number)

    async def _pay(self, session: aiohttp.ClientSession, bolt11: str) -> bool:
        for _ in range(4):
            paid = await self.server.post(session, f"{WALLET}/pay", {"text": bolt11, "wait_s": 0})
            if paid is not None:
                return "payment_hash" in paid
            await asyncio.sleep(0.3)
        return False

    async def _take_change(self, session: aiohttp.ClientSession, secret: str) -> None:
        """Claim until the server said OK; a wallet that got no answer gives the same invoice again."""
        for _ in range(6):
            offer = await self.server.get(session, f"/lnurl/withdraw/{secret}")
            if not offer or "k1" not in offer:
                await asyncio.sleep(0.5)
                continue
            most = offer["maxWithdrawable"] // 1000 * 1000
            made = await self.server.post(session, f"{WALLET}/receive", {"amount_msat": most})
            if not made or "bolt11" not in made:
                continue
            for _again in range(3):
                said = await self.server.get(
                    session, f"/lnurl/withdraw/{secret}/callback", k1=offer["k1"], pr=made["bolt11"]
                )
                if said is not None:
                    break
                await asyncio.sleep(0.5)
            if said and said.get("status") == "OK":
                self.heard.claims.add(decode(made["bolt11"]).payment_hash.hex())
                return

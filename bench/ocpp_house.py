"""A whole house for the priced benchmark: tariff, fixed rate, sandbox rail, every station's session paid for."""

from __future__ import annotations

import asyncio
from pathlib import Path

from commonwatt import charging, tariffs
from commonwatt.adapters.payment.sandbox.network import SandboxNetwork
from commonwatt.adapters.payment.sandbox.rail import SandboxRail
from commonwatt.adapters.rates.fixed import Fixed
from commonwatt.adapters.station.admission import Policy, Strangers
from commonwatt.adapters.station.listener import Listener, start_listener
from commonwatt.adapters.station.ocpp16 import Ocpp16
from commonwatt.charging import Rules
from commonwatt.kernel import EUR, RandomIds
from commonwatt.kit.clock import SystemClock
from commonwatt.kit.database import Work, create_tables, open_engine
from commonwatt.kit.web.site import Site
from commonwatt.main.assembly import House, assemble, station_ports

PURSE_MSAT = 100_000_000_000
PAYMENT_MSAT = 1_000_000_000


class PricedHouse:
    """The production assembly over a real file, with play money."""

    def __init__(self, folder: Path) -> None:
        """Choose where the data lives."""
        self.folder = folder
        self.house: House
        self.listener: Listener

    async def open(self) -> int:
        """Open everything; return the port for stations."""
        clock, ids, rules = SystemClock(), RandomIds(), Rules()
        self.network = SandboxNetwork(None, clock, ids)
        for name in ("owner", "driver"):
            await self.network.add_node(name, PURSE_MSAT)
        self.rail = SandboxRail(self.network, "owner")
        engine = open_engine(self.folder / "bench.sqlite")
        create_tables(engine)
        self.house = assemble(
            site=Site(name="Bench", base_url="http://localhost:8080", sandbox=True),
            engine=engine,
            clock=clock,
            ids=ids,
            rails={"sandbox": self.rail},
            rules=rules,
            rate_sources=(Fixed(clock, {"EUR": "60000.00"}),),
            rate_policy=tariffs.RatePolicy(minimum=1),
        )
        await self.house.database.write(_furnish)
        self.listener = await start_listener(
            "127.0.0.1",
            0,
            database=self.house.database,
            clock=clock,
            hub=self.house.hub,
            policy=Policy(require_password=False, strangers=Strangers.ADMIT),
            dialects=[Ocpp16(self.house.database, station_ports(rules))],
        )
        await self.house.start()
        return self.listener.port

    async def pay(self, connector: str) -> None:
        """Pay for a session; the station hears of it as a remote start."""
        _, invoice = await charging.offer_session(
            self.house.database, self.house.hub, self.rail, connector=connector, amount_msat=PAYMENT_MSAT
        )
        payment = self.network.pay(
            "driver", invoice.bolt11, amount_msat=PAYMENT_MSAT, fee_limit_msat=PAYMENT_MSAT, timeout_s=600
        )
        self.payments = [*getattr(self, "payments", []), asyncio.create_task(payment)]

    async def close(self) -> None:
        """End everything."""
        for payment in getattr(self, "payments", []):
            payment.cancel()
        await self.listener.close()
        await self.house.stop()


def _furnish(work: Work) -> None:
    components = (
        tariffs.Component(tariffs.Kind.ENERGY, 450_000, 200_000),
        tariffs.Component(tariffs.Kind.TIME, 600_000, 200_000, 60),
    )
    draft = tariffs.Tariff("", "", "Standard", EUR, (tariffs.Element(components),), vat_included=True)
    tariff = tariffs.create_tariff(work, draft)
    tariffs.assign_tariff(work, tariff.id)

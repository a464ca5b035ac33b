"""Two real lnd nodes: ours behind a cable that can be cut, theirs as somebody's wallet."""

from __future__ import annotations

import asyncio
import dataclasses
from contextlib import asynccontextmanager

import pytest
from tests.contract.harness import Harness
from tests.peers.cable import Cable

from commonwatt.adapters.payment.lnd import LndRail, binaries

MARKS = (pytest.mark.lnd,)


def missing():
    """Lnd and btcd must have been built."""
    absent = binaries.missing()
    if not absent:
        return None
    return f"{' and '.join(absent)} not built in {binaries.peers_directory()}: run `make peers`"


@asynccontextmanager
async def harness(request, tmp_path):
    """Open a rail to each node of the one network that the run shares."""
    network = request.getfixturevalue("lnd_network")
    async with Cable(network.shop.rest_port) as cable:
        config = dataclasses.replace(network.shop.config(), url=f"https://127.0.0.1:{cable.port}")

        async def reopen():
            await bench.ours.close()
            bench.ours = LndRail(config)
            return bench.ours

        async def interrupt():
            cable.cut()

        async def open_amount_invoice():
            issued = await asyncio.to_thread(network.driver.call, "POST", "/v1/invoices", {"memo": "any"})
            return issued["payment_request"]

        bench = Harness(
            LndRail(config), LndRail(network.driver.config()), asyncio.sleep, reopen, interrupt, open_amount_invoice
        )
        yield bench
        await bench.ours.close()
        await bench.theirs.close()

"""Both ends of the practice network as rails: the shop is ours, the driver somebody's wallet."""

from __future__ import annotations

import pytest

from commonwatt.adapters.payment.lnd import LndRail


@pytest.fixture
async def shop(lnd_network):
    rail = LndRail(lnd_network.shop.config())
    yield rail
    await rail.close()


@pytest.fixture
async def driver(lnd_network):
    rail = LndRail(lnd_network.driver.config())
    yield rail
    await rail.close()

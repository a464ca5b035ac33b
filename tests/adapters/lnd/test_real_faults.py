"""The LND rail when wires break and nodes die: nothing is called failed that may have happened, nothing is missed."""

from __future__ import annotations

import asyncio
import dataclasses
from contextlib import aclosing

import pytest
from tests.adapters.lnd.lightning_steps import ODD_MSAT, ended, issue, pay, terms, told, until
from tests.peers.cable import Cable

from commonwatt.adapters.payment.lnd import LndRail
from commonwatt.kernel import Done, Failed, Unknown
from commonwatt.payments.ports import InvoiceState

pytestmark = pytest.mark.lnd

LND_WRITES_S = 0.5
"""lnd says ACCEPTED some milliseconds before the hold is safe on its disk, and has no word for that; one that dies in
between gives the money back when it returns ("sphinx packet replay attempted")."""


@pytest.fixture
async def cable(lnd_network):
    async with Cable(lnd_network.driver.rest_port) as cable:
        yield cable


@pytest.fixture
async def far_driver(lnd_network, cable):
    """The driver's rail behind a cable that the test can cut."""
    config = dataclasses.replace(lnd_network.driver.config(), url=f"https://127.0.0.1:{cable.port}", timeout_s=2.0)
    rail = LndRail(config)
    yield rail
    await rail.close()


async def test_a_lost_answer_is_unknown_and_the_look_up_finds_the_payment(shop, driver, far_driver, cable):
    wanted = terms(hold=True)
    bolt11 = await issue(shop, wanted)
    paying = pay(far_driver, bolt11)
    await until(shop, wanted.payment_hash, InvoiceState.ACCEPTED)
    cable.unplugged = True
    cable.cut()
    assert isinstance(await paying, Unknown)
    assert isinstance(await far_driver.look_up_payment(wanted.payment_hash), Unknown)
    await shop.settle_invoice(wanted.preimage)
    cable.unplugged = False
    found = await ended(far_driver, wanted.payment_hash)
    assert isinstance(found, Done)
    assert found.value.preimage == wanted.preimage
    assert await pay(driver, bolt11) == found


async def test_a_cut_wire_that_heals_is_followed_to_the_end(shop, far_driver, cable):
    wanted = terms(hold=True)
    paying = pay(far_driver, await issue(shop, wanted))
    await until(shop, wanted.payment_hash, InvoiceState.ACCEPTED)
    cable.cut()
    await shop.settle_invoice(wanted.preimage)
    paid = await paying
    assert isinstance(paid, Done)
    assert paid.value.preimage == wanted.preimage


async def test_requests_whose_answers_are_swallowed_are_unknown_and_repeat_safely(lnd_network):
    async with Cable(lnd_network.shop.rest_port) as cable:
        config = dataclasses.replace(lnd_network.shop.config(), url=f"https://127.0.0.1:{cable.port}", timeout_s=1.0)
        shop = LndRail(config)
        wanted = terms(hold=True)
        assert isinstance(await shop.balance(), Done)
        cable.deaf = True
        assert isinstance(await shop.create_invoice(wanted), Unknown)
        assert isinstance(await shop.cancel_invoice(wanted.payment_hash), Unknown)
        assert isinstance(await shop.settle_invoice(wanted.preimage), Unknown)
        assert isinstance(await shop.look_up_invoice(wanted.payment_hash), Unknown)
        assert isinstance(await shop.balance(), Unknown)
        cable.deaf = False
        cable.cut()
        found = await shop.look_up_invoice(wanted.payment_hash)
        assert found.value.state is InvoiceState.OPEN  # the first request had arrived
        assert isinstance(await shop.create_invoice(wanted), Done)
        await shop.close()


async def test_a_node_that_is_down_is_unknown_for_every_call(lnd_network, shop):
    wanted = terms()
    bolt11 = await issue(shop, wanted)
    async with Cable(lnd_network.shop.rest_port) as cable:
        cable.unplugged = True
        config = dataclasses.replace(lnd_network.shop.config(), url=f"https://127.0.0.1:{cable.port}")
        down = LndRail(config)
        for answer in (
            await down.create_invoice(wanted),
            await down.look_up_invoice(wanted.payment_hash),
            await down.settle_invoice(wanted.preimage),
            await down.cancel_invoice(wanted.payment_hash),
            await down.pay(bolt11, amount_msat=ODD_MSAT, fee_limit_msat=0, timeout_s=1),
            await down.look_up_payment(wanted.payment_hash),
            await down.balance(),
        ):
            assert isinstance(answer, Unknown)
        await down.close()


async def test_the_payee_dies_while_a_hold_is_accepted_and_settles_after_its_return(lnd_network, shop, driver):
    wanted = terms(hold=True)
    paying = pay(driver, await issue(shop, wanted), timeout_s=60)
    await until(shop, wanted.payment_hash, InvoiceState.ACCEPTED)
    await asyncio.sleep(LND_WRITES_S)
    lnd_network.kill(lnd_network.shop)
    assert isinstance(await shop.settle_invoice(wanted.preimage), Unknown)
    await asyncio.to_thread(lnd_network.restart, lnd_network.shop)
    found = await shop.look_up_invoice(wanted.payment_hash)
    assert (found.value.state, found.value.paid_msat) == (InvoiceState.ACCEPTED, ODD_MSAT)
    assert await shop.settle_invoice(wanted.preimage) == Done(None)
    paid = await paying
    assert isinstance(paid, Done)
    assert paid.value.preimage == wanted.preimage


async def test_the_payer_dies_in_flight_and_its_payment_is_found_after_its_return(lnd_network, shop, driver):
    wanted = terms(hold=True)
    paying = pay(driver, await issue(shop, wanted), timeout_s=1)
    await until(shop, wanted.payment_hash, InvoiceState.ACCEPTED)
    await asyncio.sleep(LND_WRITES_S)
    lnd_network.kill(lnd_network.driver)
    assert isinstance(await paying, Unknown)
    await asyncio.to_thread(lnd_network.restart, lnd_network.driver)
    assert await shop.settle_invoice(wanted.preimage) == Done(None)
    found = await ended(driver, wanted.payment_hash)
    assert isinstance(found, Done)
    assert found.value.preimage == wanted.preimage


async def test_the_watch_survives_the_death_of_its_node(lnd_network, shop, driver):
    held, plain, unheard = terms(hold=True), terms(), terms()
    bolt11s = {wanted.payment_hash: await issue(shop, wanted) for wanted in (held, plain, unheard)}
    async with aclosing(shop.watch()) as reports:
        paying = pay(driver, bolt11s[held.payment_hash], timeout_s=60)
        await told(reports, held.payment_hash, InvoiceState.ACCEPTED)
        await asyncio.sleep(LND_WRITES_S)
        lnd_network.kill(lnd_network.shop)
        await asyncio.to_thread(lnd_network.restart, lnd_network.shop)
        await shop.settle_invoice(held.preimage)
        await told(reports, held.payment_hash, InvoiceState.SETTLED)
        assert isinstance(await paying, Done)
        assert isinstance(await pay(driver, bolt11s[plain.payment_hash], timeout_s=60), Done)
        await told(reports, plain.payment_hash, InvoiceState.SETTLED)


async def test_what_settles_while_the_watch_is_cut_off_is_told_when_it_is_back(lnd_network, shop, driver):
    first, second = terms(), terms(hold=True)
    async with Cable(lnd_network.shop.rest_port) as cable:
        config = dataclasses.replace(lnd_network.shop.config(), url=f"https://127.0.0.1:{cable.port}", timeout_s=2.0)
        far_shop = LndRail(config)
        bolt11s = [await issue(far_shop, wanted) for wanted in (first, second)]
        async with aclosing(far_shop.watch()) as reports:
            listening = asyncio.create_task(told(reports, first.payment_hash, InvoiceState.SETTLED))
            await asyncio.sleep(0)
            cable.unplugged = True
            cable.cut()
            assert isinstance(await pay(driver, bolt11s[0]), Done)
            held = pay(driver, bolt11s[1])
            await until(shop, second.payment_hash, InvoiceState.ACCEPTED)
            cable.unplugged = False
            await listening
            await shop.cancel_invoice(second.payment_hash)
            await told(reports, second.payment_hash, InvoiceState.CANCELLED)
            await held
        await far_shop.close()


async def test_a_new_process_follows_what_it_looks_up(lnd_network, shop, driver):
    wanted = terms(hold=True)
    paying = pay(driver, await issue(shop, wanted))
    await until(shop, wanted.payment_hash, InvoiceState.ACCEPTED)
    reborn = LndRail(lnd_network.shop.config())
    assert (await reborn.look_up_invoice(wanted.payment_hash)).value.state is InvoiceState.ACCEPTED
    async with aclosing(reborn.watch()) as reports:
        await told(reports, wanted.payment_hash, InvoiceState.ACCEPTED)
        await shop.cancel_invoice(wanted.payment_hash)
        await told(reports, wanted.payment_hash, InvoiceState.CANCELLED)
    assert isinstance(await paying, Failed)
    await reborn.close()


async def test_more_holds_than_streams_are_all_told(lnd_network, driver):
    shop = LndRail(dataclasses.replace(lnd_network.shop.config(), streams_max=1))
    holds = [terms(hold=True) for _ in range(3)]
    bolt11s = [await issue(shop, wanted) for wanted in holds]
    async with aclosing(shop.watch()) as reports:
        paying = [pay(driver, bolt11) for bolt11 in bolt11s]
        waiting = {wanted.payment_hash for wanted in holds}
        async with asyncio.timeout(20):
            async for report in reports:
                assert report.state is InvoiceState.ACCEPTED
                waiting.discard(report.payment_hash)
                if not waiting:
                    break
        for wanted in holds:
            assert await shop.settle_invoice(wanted.preimage) == Done(None)
        outcomes = await asyncio.gather(*paying)
        assert all(isinstance(outcome, Done) for outcome in outcomes)
    await shop.close()


async def test_connections_that_died_between_two_calls_cost_no_call(lnd_network, shop):
    async with Cable(lnd_network.shop.rest_port) as cable:
        far_shop = LndRail(dataclasses.replace(lnd_network.shop.config(), url=f"https://127.0.0.1:{cable.port}"))
        wanted = terms()
        assert isinstance(await far_shop.balance(), Done)
        cable.cut()
        assert isinstance(await far_shop.create_invoice(wanted), Done)
        cable.cut()
        assert (await far_shop.look_up_invoice(wanted.payment_hash)).value.state is InvoiceState.OPEN
        cable.cut()
        assert await far_shop.cancel_invoice(wanted.payment_hash) == Done(None)
        await far_shop.close()


async def test_another_certificate_is_refused_before_the_macaroon_is_sent(lnd_network):
    config = dataclasses.replace(lnd_network.shop.config(), tls_cert_path=lnd_network.driver.tls_cert_path)
    rail = LndRail(config)
    answer = await rail.balance()
    assert isinstance(answer, Unknown)
    assert "certificate" in answer.reason
    await rail.close()


async def test_a_macaroon_of_another_node_is_denied_in_plain_words(lnd_network, shop):
    config = dataclasses.replace(
        lnd_network.shop.config(), macaroon_hex=lnd_network.driver.macaroon_path.read_bytes().hex()
    )
    rail = LndRail(config)
    created = await rail.create_invoice(terms())
    assert isinstance(created, Failed)
    assert created.code == "denied"
    wanted = terms()
    await issue(shop, wanted)
    looked_up = await rail.look_up_invoice(wanted.payment_hash)
    assert isinstance(looked_up, Unknown)
    assert config.macaroon_hex not in created.reason + looked_up.reason
    await rail.close()

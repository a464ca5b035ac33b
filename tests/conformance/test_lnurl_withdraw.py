"""Taking change with the PyPI library `lnurl`: only the session's own link gives it, once, and to the last msat."""

import asyncio
import re

import lnurl
import pytest
from lnurl.models import LnurlErrorResponse, LnurlSuccessResponse
from tests.conformance.conftest import HOST, MSAT_PER_WH, NAME, PAYMENT_MSAT, eventually

from commonwatt.kernel import Failed


async def test_the_change_comes_back_to_the_last_msat(town):
    visit = await town.charged(200)
    left = PAYMENT_MSAT - 200 * MSAT_PER_WH
    offer = await town.change(visit)
    assert (offer.minWithdrawable, offer.maxWithdrawable) == (left - left % 1000, left)
    invoice, payment_hash = await town.invoice(left)
    assert isinstance(await lnurl.execute_withdraw(offer, invoice), LnurlSuccessResponse)
    await town.arrived(payment_hash, left)


async def test_no_key_beyond_the_standard_is_in_an_offer_of_change(town):
    visit = await town.charged(50)
    told = await town.raw(f"/lnurl/withdraw/{visit.secret}")
    assert set(told) == {"tag", "callback", "k1", "defaultDescription", "minWithdrawable", "maxWithdrawable"}


async def test_change_is_given_once(town):
    visit = await town.charged(50)
    offer = await town.change(visit)
    invoice, payment_hash = await town.invoice(offer.maxWithdrawable)
    await lnurl.execute_withdraw(offer, invoice)
    again = await town.change(visit)
    assert isinstance(again, LnurlErrorResponse)
    assert "Nothing is left" in again.reason
    await town.arrived(payment_hash, offer.maxWithdrawable)


async def test_the_same_invoice_again_is_the_same_claim(town):
    visit = await town.charged(50)
    offer = await town.change(visit)
    invoice, payment_hash = await town.invoice(offer.maxWithdrawable)
    for _ in range(3):
        assert isinstance(await lnurl.execute_withdraw(offer, invoice), LnurlSuccessResponse)
    await town.arrived(payment_hash, offer.maxWithdrawable)
    assert isinstance(await lnurl.execute_withdraw(offer, invoice), LnurlSuccessResponse)
    paid = "SELECT count(*), sum(amount_msat) FROM payments_payouts"
    assert await town.database.read(lambda sql: tuple(sql.exec_driver_sql(paid).one())) == (1, offer.maxWithdrawable)


async def test_another_invoice_under_a_used_claim_is_refused(town):
    visit = await town.charged(50)
    offer = await town.change(visit)
    invoice, payment_hash = await town.invoice(offer.maxWithdrawable)
    other, _ = await town.invoice(offer.maxWithdrawable)
    await lnurl.execute_withdraw(offer, invoice)
    with pytest.raises(lnurl.LnurlResponseException, match="claimed with another invoice"):
        await lnurl.execute_withdraw(offer, other)
    await town.arrived(payment_hash, offer.maxWithdrawable)


async def test_of_two_invoices_at_the_same_moment_one_is_paid(town):
    visit = await town.charged(50)
    offer = await town.change(visit)
    invoices = [await town.invoice(offer.maxWithdrawable) for _ in range(2)]
    answers = await asyncio.gather(
        *(lnurl.execute_withdraw(offer, invoice) for invoice, _ in invoices), return_exceptions=True
    )
    won = [isinstance(answer, LnurlSuccessResponse) for answer in answers]
    assert sorted(won) == [False, True]
    await town.arrived(invoices[won.index(True)][1], offer.maxWithdrawable)


async def test_part_of_the_change_is_no_choice(town):
    visit = await town.charged(50)
    offer = await town.change(visit)
    for msat in (1_000, offer.minWithdrawable - 1, offer.maxWithdrawable + 1, 10 * offer.maxWithdrawable):
        invoice, _ = await town.invoice(msat)
        told = await town.raw(f"/lnurl/withdraw/{visit.secret}/callback", k1=offer.k1, pr=invoice)
        assert told["status"] == "ERROR"
        assert str(offer.minWithdrawable) in told["reason"]
    assert await town.change(visit) == offer


async def test_the_parts_below_a_satoshi_may_stay(town):
    visit = await town.charged(50)
    offer = await town.change(visit)
    invoice, payment_hash = await town.invoice(offer.minWithdrawable)
    await lnurl.execute_withdraw(offer, invoice)
    await town.arrived(payment_hash, offer.minWithdrawable)
    assert "Nothing is left" in (await town.change(visit)).reason


async def test_taking_change_while_it_charges_stops_it_and_waits_for_the_last_reading(town):
    visit = await town.pay()
    await town.charger.begin()
    await town.charger.meter(100)
    await town.until(visit, "charging")
    station = asyncio.create_task(town.charger.end_when_asked(more_wh=23, after_s=0.5))
    offer = await town.change(visit)
    await station
    assert offer.maxWithdrawable == PAYMENT_MSAT - 123 * MSAT_PER_WH
    invoice, payment_hash = await town.invoice(offer.maxWithdrawable)
    await lnurl.execute_withdraw(offer, invoice)
    await town.arrived(payment_hash, offer.maxWithdrawable)


async def test_a_wallet_that_gives_up_while_the_charge_stops_gets_it_at_the_next_scan(town):
    visit = await town.pay()
    await town.charger.begin()
    await town.charger.meter(100)
    await town.until(visit, "charging")
    with pytest.raises(lnurl.LnurlResponseException):
        await town.change(visit, timeout=1)
    await town.charger.end_when_asked(more_wh=1)
    await town.until(visit, "ended")
    assert (await town.change(visit)).maxWithdrawable == PAYMENT_MSAT - 101 * MSAT_PER_WH


async def test_taking_change_before_the_car_is_plugged_in_gives_the_held_money_back(town):
    visit = await town.pay()
    await town.until(visit, "starting")
    answer = await town.change(visit)
    assert isinstance(answer, LnurlErrorResponse)
    assert "gave your payment back" in answer.reason or "Nothing is left" in answer.reason
    assert isinstance(await visit.paying, Failed)
    told = await town.raw(visit.answer.verify.path)
    assert (told["settled"], told["preimage"]) == (False, None)


@pytest.mark.parametrize("town", ["sandbox"], indirect=True)
async def test_change_waits_for_a_payment_that_is_still_being_settled(town):
    faults = town.running.house.rails["sandbox"].faults
    faults.delay_ms = 1500
    visit = await town.pay()
    await town.charger.begin()
    await town.charger.meter(100)
    await town.until(visit, "charging")
    await town.charger.end()
    session = await town.session(visit)
    assert (session.status, session.billed) == ("ended", False)
    offer = await town.change(visit, timeout=20)
    assert offer.maxWithdrawable == PAYMENT_MSAT - 100 * MSAT_PER_WH
    faults.clear()


async def test_a_payment_that_was_used_up_leaves_nothing(town):
    visit = await town.charged(400, msat=400 * MSAT_PER_WH)
    answer = await town.change(visit)
    assert "Nothing is left" in answer.reason


async def test_a_claim_of_another_session_takes_nothing(town):
    mine, other = await town.charged(50), await town.charged(60)
    offer = await town.change(other)
    invoice, _ = await town.invoice((await town.change(mine)).maxWithdrawable)
    told = await town.raw(f"/lnurl/withdraw/{mine.secret}/callback", k1=offer.k1, pr=invoice)
    assert told["status"] == "ERROR"
    assert (await town.session(mine)).change_msat > 0
    assert (await town.change(mine)).maxWithdrawable == PAYMENT_MSAT - 50 * MSAT_PER_WH


async def test_a_made_up_claim_takes_nothing(town):
    visit = await town.charged(50)
    offer = await town.change(visit)
    invoice, _ = await town.invoice(offer.maxWithdrawable)
    for k1 in ("", "0" * 64, "é", "x" * 4000):
        told = await town.raw(f"/lnurl/withdraw/{visit.secret}/callback", k1=k1, pr=invoice)
        assert set(told) == {"status", "reason"}
    assert await town.change(visit) == offer


async def test_what_is_no_invoice_takes_nothing(town):
    visit = await town.charged(50)
    offer = await town.change(visit)
    for pr in ("", "lnbc1", "lnbcrt1é", "x" * 7000, "https://example.com", "LNURL1DP68GURN8GHJ7"):
        told = await town.raw(f"/lnurl/withdraw/{visit.secret}/callback", k1=offer.k1, pr=pr)
        assert told["status"] == "ERROR"
    assert await town.change(visit) == offer


async def test_a_payment_of_change_that_fails_leaves_it_to_the_next_scan(town):
    visit = await town.charged(50)
    offer = await town.change(visit)
    invoice, payment_hash = await town.invoice(offer.maxWithdrawable)
    await town.driver.cancel_invoice(payment_hash)
    await lnurl.execute_withdraw(offer, invoice)

    async def offered():
        return await town.change(visit)

    second = await eventually(offered, lambda answer: isinstance(answer, lnurl.LnurlWithdrawResponse))
    assert second.k1 != offer.k1
    assert second.maxWithdrawable == offer.maxWithdrawable
    fresh, payment_hash = await town.invoice(second.maxWithdrawable)
    await lnurl.execute_withdraw(second, fresh)
    await town.arrived(payment_hash, second.maxWithdrawable)


async def test_the_session_page_shows_the_change_as_a_code_that_wallets_read(town):
    visit = await town.charged(50)
    status, page = await town.page(f"/s/{visit.secret}")
    assert status == 200, page[-1500:]
    codes = {lnurl.decode(code).url for code in re.findall(r"lnurl1[a-z0-9]+", page, re.IGNORECASE)}
    assert town.url(f"/lnurl/withdraw/{visit.secret}") in {str(url) for url in codes}
    assert (await lnurl.handle(f"lnurlw://{HOST}/lnurl/withdraw/{visit.secret}")).k1


async def test_our_own_invoice_takes_nothing(town):
    visit = await town.charged(50)
    offer = await town.change(visit)
    own = await lnurl.execute_pay_request(await lnurl.handle(f"{NAME}@{HOST}"), int(offer.minWithdrawable))
    told = await town.raw(f"/lnurl/withdraw/{visit.secret}/callback", k1=offer.k1, pr=str(own.pr))
    assert "one of ours" in told["reason"]


async def test_an_invoice_of_another_network_takes_nothing(town):
    visit = await town.charged(50)
    offer = await town.change(visit)
    told = await town.raw(f"/lnurl/withdraw/{visit.secret}/callback", k1=offer.k1, pr=MAINNET)
    assert told["status"] == "ERROR"
    assert await town.change(visit) == offer


async def test_a_passer_by_can_neither_stop_the_charge_nor_take_its_change(town):
    visit = await town.pay()
    await town.charger.begin()
    await town.charger.meter(100)
    await town.until(visit, "charging")
    session_id = await town.database.read(
        lambda sql: sql.exec_driver_sql("SELECT id FROM session WHERE secret = ?", (visit.secret,)).scalar()
    )
    payment_hash = visit.answer.verify.path.rpartition("/")[2]
    seen = (NAME, session_id, payment_hash, f"session/{session_id}", "")
    for guess in seen:
        told = await town.raw(f"/lnurl/withdraw/{guess}") if "/" not in guess and guess else {"status": "ERROR"}
        assert told["status"] == "ERROR"
        assert (await town.page(f"/s/{guess}/stop", "POST"))[0] in {404, 405}
    for path in (f"/lnurl/pay/{NAME}", f"/.well-known/lnurlp/{NAME}"):
        told = await town.raw(path)
        assert set(told) == {"status", "reason"}
        assert visit.secret not in told["reason"]
    for path in (f"/c/{NAME}", f"/r/{session_id}", f"/r/{session_id}.json"):
        assert visit.secret not in (await town.page(path))[1]
    assert town.charger.stops.empty()
    assert (await town.session(visit)).status == "charging"
    await town.charger.end()


MAINNET = (
    "lnbc2500u1pvjluezsp5zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zygspp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5"
    "rqwzqfqypqdq5xysxxatsyp3k7enxv4jsxqzpu9qrsgquk0rl77nj30yxdy8j9vdx85fkpmdla2087ne0xh8nhedh8w27kyke0lp53ut353s06fv3qfegext"
    "0eh0ymjpf39tuven09sam30g4vgpfna3rh"
)
"""An example of BOLT 11: 2500 µBTC on the main chain."""

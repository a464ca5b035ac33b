"""Paying at a charge point with the PyPI library `lnurl`, whose messages admit no key beyond the LUDs."""

import hashlib
import json
import re

import bolt11
import lnurl
import pytest
from lnurl.models import LnurlErrorResponse, LnurlPayVerifyResponse, UrlAction
from ocpp.v16.enums import ChargePointStatus
from tests.conformance.conftest import HOST, MSAT_PER_WH, NAME, PAYMENT_MSAT, eventually, state_of

from commonwatt.charging.lnurl import pay_url
from commonwatt.protocols.lnurl import encode_lnurl, in_scheme

AMOUNTS = ("", "0", "-1", "99999", "1000000001", "5e6", "5000000.5", "0x10", "5 000 000", "9" * 400, "NaN", "null")
DIGITS = "\u0665\u0660\u0660\u0660\u0660\u0660\u0660"
"""Arabic-Indic digits, which some parsers take for a number."""


async def test_the_code_on_the_wall_offers_a_payment(town):
    request = await lnurl.handle(encode_lnurl(pay_url(town.running.site, NAME)))
    assert isinstance(request, lnurl.LnurlPayResponse)
    assert (request.minSendable, request.maxSendable) == (100_000, 1_000_000_000)
    assert request.commentAllowed == 120
    assert str(request.callback).startswith(f"https://{HOST}/lnurl/pay/")
    assert "Market square" in request.metadata.text


@pytest.mark.parametrize("number", [1, 2])
async def test_every_connector_has_a_lightning_address(town, number):
    await town.charger.status(ChargePointStatus.available, 2)
    address = f"market-square-{number}@{HOST}"
    request = await lnurl.handle(address)
    assert ("text/identifier", address) in request.metadata.list()


async def test_the_scheme_of_lud_17_leads_to_the_same_offer(town):
    url = pay_url(town.running.site, NAME)
    assert await lnurl.handle(in_scheme(url, "lnurlp")) == await lnurl.handle(url)


async def test_the_long_description_tells_the_price(town):
    entries = dict((await lnurl.handle(f"{NAME}@{HOST}")).metadata.list())
    assert "0.69" in entries["text/long-desc"]
    assert "kWh" in entries["text/long-desc"]


async def test_the_invoice_is_exact_and_commits_to_the_metadata(town):
    request = await lnurl.handle(f"{NAME}@{HOST}")
    answer = await lnurl.execute_pay_request(request, PAYMENT_MSAT)
    invoice = bolt11.decode(str(answer.pr))
    assert invoice.amount_msat == PAYMENT_MSAT
    assert invoice.description_hash == request.metadata.h


async def test_a_comment_may_be_left_and_is_kept(town):
    visit = await town.pay(comment="row 3, blue van ⚡")
    kept = "SELECT comment FROM payments_invoices"
    assert await town.database.read(lambda sql: sql.exec_driver_sql(kept).scalar()) == "row 3, blue van ⚡"
    await town.until(visit, "starting")


async def test_a_comment_that_is_too_long_is_refused(town):
    answer = await town.raw(f"/lnurl/pay/{NAME}/callback", amount=PAYMENT_MSAT, comment="x" * 121)
    assert answer["status"] == "ERROR"
    assert "120" in answer["reason"]


async def test_the_code_may_be_kept_and_paid_again(town):
    request = await lnurl.handle(f"{NAME}@{HOST}")
    first = await lnurl.execute_pay_request(request, PAYMENT_MSAT)
    second = await lnurl.execute_pay_request(request, PAYMENT_MSAT)
    assert first.disposable is second.disposable is False
    assert first.pr != second.pr
    assert first.verify != second.verify


async def test_the_wallet_shows_a_link_to_the_session(town):
    visit = await town.pay()
    action = visit.answer.successAction
    assert isinstance(action, UrlAction)
    assert action.url.host == HOST
    status, text = await town.page(action.url.path)
    assert status == 200
    assert "Market square" in text


async def test_a_wallet_that_refuses_success_actions_is_served_without(town):
    request = await lnurl.handle(f"https://{HOST}/lnurl/pay/{NAME}?sa=0")
    answer = await lnurl.execute_pay_request(request, PAYMENT_MSAT)
    assert answer.successAction is None
    assert answer.verify is not None


async def test_the_preimage_is_told_only_once_the_payment_is_ours(town):
    visit = await town.pay()

    async def verified():
        return await lnurl.get(visit.answer.verify, response_class=LnurlPayVerifyResponse)

    await town.until(visit, "starting")
    held = await verified()
    assert (held.settled, held.preimage, held.pr) == (False, None, visit.answer.pr)
    await town.charger.begin()
    assert (await verified()).preimage is None
    await town.charger.meter(100)
    paid = await eventually(verified, lambda answer: answer.settled)
    payment_hash = bolt11.decode(str(paid.pr)).payment_hash
    assert hashlib.sha256(bytes.fromhex(paid.preimage)).hexdigest() == payment_hash
    assert (await visit.paying).value.preimage.hex() == paid.preimage
    await town.charger.end()


async def test_an_unpaid_invoice_verifies_as_unsettled(town):
    request = await lnurl.handle(f"{NAME}@{HOST}")
    answer = await lnurl.execute_pay_request(request, PAYMENT_MSAT)
    told = await town.raw(answer.verify.path)
    assert told == {"status": "OK", "settled": False, "preimage": None, "pr": str(answer.pr)}


async def test_verify_knows_only_our_invoices(town):
    for payment_hash in ("0" * 64, "nothing", "A" * 64, "é" * 64, "0" * 5000):
        told = await lnurl.get(town.url(f"/lnurl/verify/{payment_hash}"))
        assert isinstance(told, LnurlErrorResponse)


async def test_a_payment_is_used_exactly(town):
    visit = await town.charged(137)
    session = await town.session(visit)
    assert (session.energy_wh, session.billed_msat) == (137, 137 * MSAT_PER_WH)
    assert session.change_msat == PAYMENT_MSAT - 137 * MSAT_PER_WH


async def test_a_busy_charge_point_takes_no_payment(town):
    request = await lnurl.handle(f"{NAME}@{HOST}")
    visit = await town.pay()
    await town.until(visit, "starting")
    with pytest.raises(lnurl.LnurlResponseException, match="Somebody else charges here"):
        await lnurl.execute_pay_request(request, PAYMENT_MSAT)
    await town.charger.begin()
    refused = await lnurl.handle(f"{NAME}@{HOST}")
    assert "Somebody else charges here" in refused.reason
    await town.charger.meter(100)
    await town.charger.end()


async def test_a_charge_point_that_is_offline_takes_no_payment(town):
    refused = await lnurl.handle(f"town-hall-1@{HOST}")
    assert isinstance(refused, LnurlErrorResponse)
    assert "offline" in refused.reason
    told = await town.raw("/lnurl/pay/town-hall-1/callback", amount=PAYMENT_MSAT)
    assert set(told) == {"status", "reason"}


async def test_a_charge_point_that_is_out_of_order_takes_no_payment(town):
    await town.charger.status(ChargePointStatus.faulted)
    await eventually(lambda: state_of(town, NAME), lambda state: state == "Faulted")
    refused = await lnurl.handle(f"{NAME}@{HOST}")
    assert "out of order" in refused.reason


async def test_a_name_that_does_not_exist_takes_no_payment(town):
    for name in ("nowhere", "market-square-9", "%2e%2e", "%00", "x" * 4000, "é"):
        refused = await lnurl.get(town.url(f"/lnurl/pay/{name}/callback?amount={PAYMENT_MSAT}"))
        assert isinstance(refused, LnurlErrorResponse)


async def test_an_amount_that_cannot_be_paid_is_refused(town):
    for amount in (*AMOUNTS, DIGITS):
        told = await town.raw(f"/lnurl/pay/{NAME}/callback", amount=amount)
        assert told["status"] == "ERROR"
        assert "sats" in told["reason"] or "millisatoshi" in told["reason"]
        assert set(told) == {"status", "reason"}

    @pytest.mark.parametrize("msat", [100_000, 1_000_000_000])
    async def test_the_limits_themselves_can_be_asked_for(town, msat):
        request = await lnurl.handle(f"{NAME}@{HOST}")
        answer = await lnurl.execute_pay_request(request, msat)
        assert bolt11.decode(str(answer.pr)).amount_msat == msat

    async def test_no_answer_carries_a_key_beyond_the_standard(town):
        offer = await town.raw(f"/.well-known/lnurlp/{NAME}")
        assert set(offer) == {"tag", "callback", "minSendable", "maxSendable", "metadata", "commentAllowed"}
        assert {kind for kind, _ in json.loads(offer["metadata"])} == {
            "text/plain",
            "text/identifier",
            "text/long-desc",
        }
        answer = await town.raw(f"/lnurl/pay/{NAME}/callback", amount=PAYMENT_MSAT)
        assert set(answer) == {"pr", "routes", "successAction", "disposable", "verify"}
        assert answer["routes"] == []


async def test_the_page_of_a_charge_point_shows_an_address_that_wallets_read(town):
    status, page = await town.page(f"/c/{NAME}")
    assert status == 200
    addresses = set(re.findall(rf"[a-z0-9._-]+@{HOST}", page))
    assert addresses == {f"{NAME}@{HOST}"}
    assert isinstance(await lnurl.handle(addresses.pop()), lnurl.LnurlPayResponse)


async def test_a_repeated_or_unknown_parameter_breaks_nothing(town):
    path = f"/lnurl/pay/{NAME}/callback"
    assert set(await town.raw(path, amount=PAYMENT_MSAT, nonce="1", payerdata="{}")) > {"pr"}
    for amounts in (["5000000", "6000000"], ["5000000", ""]):
        told = await town.raw(path, amount=amounts)
        assert "pr" in told or told["status"] == "ERROR"


async def test_more_credit_is_added_to_a_running_session(town):
    visit = await town.pay()
    await town.charger.begin()
    await town.charger.meter(100)
    await town.until(visit, "charging")
    await visit.paying
    request = await lnurl.handle(town.url(f"/lnurl/topup/{visit.secret}"))
    assert isinstance(request, lnurl.LnurlPayResponse)
    answer = await lnurl.execute_pay_request(request, 1_000_007)
    assert bolt11.decode(str(answer.pr)).description_hash == request.metadata.h
    await town.driver.pay(str(answer.pr), amount_msat=1_000_007, fee_limit_msat=50_000, timeout_s=30)
    await eventually(lambda: town.session(visit), lambda session: session.paid_msat == PAYMENT_MSAT + 1_000_007)
    await town.charger.end()
    session = await town.until(visit, "ended")
    assert session.change_msat == PAYMENT_MSAT + 1_000_007 - 100 * MSAT_PER_WH
    refused = await lnurl.handle(town.url(f"/lnurl/topup/{visit.secret}"))
    assert "over" in refused.reason
    late = await town.raw(f"/lnurl/topup/{visit.secret}/callback", amount=1_000_000)
    assert set(late) == {"status", "reason"}

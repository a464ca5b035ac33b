"""Paying a Lightning address with npm `@getalby/lightning-tools`, and checking the payment as a shop of others does."""

import json

import pytest
from tests.conformance.conftest import HOST, MSAT_PER_WH, NAME
from tests.peers import npm

pytestmark = pytest.mark.npm
SATOSHI = 5_000

REQUEST = """
const { LightningAddress } = require('@getalby/lightning-tools');
(async () => {
  const address = new LightningAddress(process.argv[1], { proxy: false });
  await address.fetch();
  const { identifier, description, min, max, commentAllowed, metadataHash } = address.lnurlpData;
  const invoice = await address.requestInvoice({ satoshi: Number(process.argv[2]), comment: 'bay 4' });
  const verified = await invoice.verifyPayment();
  console.log(JSON.stringify({
    identifier, description, min, max, commentAllowed, metadataHash, verified, preimage: invoice.preimage,
    pr: invoice.paymentRequest, verify: invoice.verify, satoshi: invoice.satoshi, success: invoice.successAction,
  }));
})().catch((error) => { console.error(error); process.exit(1); });
"""
VERIFY = """
const { Invoice } = require('@getalby/lightning-tools');
(async () => {
  const invoice = new Invoice({ pr: process.argv[1], verify: process.argv[2] });
  const settled = await invoice.verifyPayment();
  const proven = invoice.preimage ? invoice.validatePreimage(invoice.preimage) : null;
  console.log(JSON.stringify({ settled, preimage: invoice.preimage, proven }));
})().catch((error) => { console.error(error); process.exit(1); });
"""
REFUSED = """
const { LightningAddress } = require('@getalby/lightning-tools');
(async () => {
  const address = new LightningAddress(process.argv[1], { proxy: false });
  const why = await address.fetch().then(() => null, (error) => error.message);
  console.log(JSON.stringify({ why, known: address.lnurlpData !== undefined }));
})();
"""


class Told:
    """What the library made of an answer, in the shape that `Town.send` pays."""

    def __init__(self, told):
        self.pr = told["pr"]
        self.successAction = type("Action", (), {"url": told["success"]["url"]})


async def test_the_address_is_read_and_an_unpaid_invoice_is_unverified(town):
    npm.partner("@getalby/lightning-tools")
    told = json.loads(await town.node("-e", REQUEST, f"{NAME}@{HOST}", str(SATOSHI)))
    assert told["identifier"] == f"{NAME}@{HOST}"
    assert (told["min"], told["max"], told["commentAllowed"]) == (100_000, 1_000_000_000, 120)
    assert told["satoshi"] == SATOSHI
    assert told["success"]["tag"] == "url"
    assert (told["verified"], told["preimage"]) == (False, None)


async def test_a_payment_verifies_from_false_to_true_with_a_valid_preimage(town):
    npm.partner("@getalby/lightning-tools")
    told = json.loads(await town.node("-e", REQUEST, f"{NAME}@{HOST}", str(SATOSHI)))
    visit = town.send(Told(told), SATOSHI * 1000)
    await town.until(visit, "starting")
    held = json.loads(await town.node("-e", VERIFY, told["pr"], told["verify"]))
    assert held == {"settled": False, "preimage": None, "proven": None}
    await town.charger.begin()
    await town.charger.meter(100)
    await town.until(visit, "charging")
    report = (await visit.paying).value
    await town.charger.end()
    session = await town.until(visit, "ended")
    paid = json.loads(await town.node("-e", VERIFY, told["pr"], told["verify"]))
    assert paid == {"settled": True, "preimage": report.preimage.hex(), "proven": True}
    assert session.change_msat == SATOSHI * 1000 - 100 * MSAT_PER_WH


@pytest.mark.parametrize("name", ["town-hall-1", "nowhere"])
async def test_an_address_that_takes_nothing_now_is_refused_without_a_crash(town, name):
    npm.partner("@getalby/lightning-tools")
    told = json.loads(await town.node("-e", REFUSED, f"{name}@{HOST}"))
    assert told == {"why": "Invalid pay service params", "known": False}

"""How much may be paid before a charge: never so little that a fee or a minimum uses it up without any energy."""

import re

import pytest
from tests.charging.driver_house import DriverHouse
from tests.charging.pages_house import House, flat_price
from tests.german import words_of

from commonwatt import charging
from commonwatt.charging import lnurl
from commonwatt.charging.actions.offer_session import open_offer
from commonwatt.charging.errors import AmountOutOfRange, PriceBeyondLimit
from commonwatt.charging.prepaying import Span, cost_of_beginning, span_before
from commonwatt.kernel import BTC, EUR, Instant
from commonwatt.kit.pages.assets import BUILT
from commonwatt.tariffs import Component, Element, Kind, Price, Rate, Tariff, assign_tariff, create_tariff, store_rate

RULES = charging.Rules()
NOW = Instant(1_777_000_000_000)
RATE = Rate("", "EUR", 50_000_000_000, NOW, ("kraken",))
"""2,000 sats for a euro."""
ENGLISH = {"accept": "text/html", "accept-language": "en"}
needs_pages = pytest.mark.skipif(not (BUILT / "manifest.json").exists(), reason="run `make web` first")


def tariff_of(*components, asset=EUR, name="T", **rest):
    return Tariff("", "", name, asset, (Element(components),), vat_included=True, **rest)


ENERGY = Component(Kind.ENERGY, 400_000, 0)


def flat(micro):
    return Component(Kind.FLAT, micro, 0)


@pytest.mark.parametrize(
    ("tariff", "sats"),
    [
        (tariff_of(ENERGY), 100),
        (tariff_of(ENERGY, flat(20_000)), 100),
        (tariff_of(ENERGY, flat(50_000)), 900),
        (tariff_of(ENERGY, flat(5_000_000)), 10_800),
        (tariff_of(ENERGY, min_price=Price(1_000_000, 1_200_000)), 2_400),
        (tariff_of(Component(Kind.ENERGY, 400_000, 0, 10_000)), 8_000),
        (tariff_of(Component(Kind.TIME, 6_000_000, 0, 900)), 3_000),
        (tariff_of(ENERGY, flat(333_333)), 1_467),
        (tariff_of(Component(Kind.ENERGY, 700_001, 0), flat(300_000), asset=BTC), 1_001),
    ],
    ids=[
        "energy",
        "a small fee",
        "a fee",
        "a flat fee",
        "a minimum",
        "blocks",
        "blocks of time",
        "rounded up",
        "in bitcoin",
    ],
)
def test_the_least_buys_the_first_kwh_where_something_is_due_before(tariff, sats):
    rate = None if tariff.asset == BTC else RATE
    assert span_before(tariff, rate, RULES, NOW) == Span(sats * 1000, RULES.payment_max_msat)


def test_what_begins_above_the_limit_cannot_be_sold():
    dear = tariff_of(ENERGY, flat(500_000_000))
    with pytest.raises(PriceBeyondLimit, match="1000800 sats") as refused:
        span_before(dear, RATE, RULES, NOW)
    assert refused.value.fields["least_msat"] == cost_of_beginning(dear, RATE, NOW) == 1_000_800_000
    just = tariff_of(ENERGY, flat(499_600_000))
    assert span_before(just, RATE, RULES, NOW) == Span(RULES.payment_max_msat, RULES.payment_max_msat)


class Kiosk(DriverHouse):
    """The charge point with prices of its own, before a driver with a browser, a wallet or a program."""

    def sell(self, *components):
        draft = tariff_of(*components, name=f"With {components[-1].price}")
        self.act(assign_tariff, self.act(create_tariff, draft).id)
        self.act(store_rate, Rate("", "EUR", 50_000_000_000, self.clock.now(), ("kraken",)))

    def open(self, status=200, path="/c/cp-1-1"):
        answer = self.client.get(path, headers=ENGLISH)
        assert answer.status_code == status
        return answer.text

    def pay(self, **form):
        answer = self.client.post("/c/cp-1-1/pay", data=form, headers=ENGLISH, follow_redirects=False)
        return answer.status_code, words_of(answer.text)

    async def ask_wallet(self, handler, **query):
        """Ask what a wallet asks by LNURL-pay; return the answer's JSON."""
        answer = await handler.fn(
            "cp-1-1", database=self.database, clock=self.clock, site=lnurl.Site("Test", "http://testserver.local"),
            line=self.line, rules=RULES, **query,
        )  # fmt: skip
        return answer.content


@pytest.fixture
def kiosk(database, clock, ids):
    return Kiosk(database, clock, ids)


@needs_pages
def test_the_page_offers_and_names_what_suffices(kiosk):
    kiosk.sell(ENERGY, flat(7_000_000))
    page = kiosk.open()
    assert re.findall(r'name="amount" value="(\d+)"', page) == ["20000000", "40000000", "80000000"]
    assert "From 7.40 EUR to 500.00 EUR." in words_of(page)
    assert kiosk.pay(own="7.39")[0] == 422
    assert "Choose an amount from 7.40 EUR to 500.00 EUR." in kiosk.pay(own="7.39")[1]
    assert kiosk.pay(amount="14799000")[0] == 422
    status, words = kiosk.pay(own="7.40")
    assert (status, "Paying does not work here at this moment" in words) == (503, True), "only the node is away"


@needs_pages
def test_where_no_usual_amount_suffices_the_least_is_offered(kiosk):
    kiosk.sell(ENERGY, flat(60_000_000))
    page = kiosk.open()
    assert re.findall(r'name="amount" value="(\d+)" checked', page) == ["120800000"]
    assert "60.40 EUR about 0.900 kWh" in words_of(page)
    assert kiosk.pay(amount="120800000")[0] == 503


@needs_pages
def test_a_driver_reads_that_nobody_can_pay_here(kiosk):
    kiosk.sell(ENERGY, flat(600_000_000))
    page = kiosk.open()
    assert 'name="amount"' not in page
    assert "LIGHTNING:" not in page
    told = "A charge costs at least 1,200,800 sats here, and nobody may pay more than 1,000,000 sats at once."
    assert told in words_of(page)
    status, words = kiosk.pay(amount="1000000000")
    assert (status, told in words) == (409, True)


def test_every_offer_is_held_to_it(kiosk):
    kiosk.sell(ENERGY, flat(5_000_000))
    with pytest.raises(AmountOutOfRange) as refused:
        kiosk.act(open_offer, "cp-1-1", 10_799_000, None, RULES)
    assert refused.value.fields == {"min_msat": 10_800_000, "max_msat": RULES.payment_max_msat}
    assert kiosk.act(open_offer, "cp-1-1", 10_800_000, None, RULES).session.status == "offered"


async def test_a_wallet_is_told_the_least(kiosk):
    kiosk.sell(ENERGY, flat(5_000_000))
    offer = await kiosk.ask_wallet(lnurl.show_pay)
    assert (offer["minSendable"], offer["maxSendable"]) == (10_800_000, RULES.payment_max_msat)
    kiosk.sell(ENERGY, flat(600_000_000))
    answer = await kiosk.ask_wallet(lnurl.show_pay)
    assert answer["status"] == "ERROR"
    assert "nobody can pay here" in answer["reason"]


@needs_pages
def test_the_owner_reads_on_the_tariff_that_it_sells_nothing(database, clock, ids):
    house = House(database, clock, ids)
    dear = house.act(create_tariff, tariff_of(ENERGY, flat(600_000_000)))
    plain = house.act(create_tariff, flat_price("Plain", 420_000))
    told = "Nobody can prepay by this tariff now"
    assert told not in house.open(f"/tariffs/{dear.id}"), "without a rate nobody knows"
    house.act(store_rate, Rate("", "EUR", 50_000_000_000, clock.now(), ("kraken",)))
    assert told in house.open(f"/tariffs/{dear.id}")
    assert told not in house.open(f"/tariffs/{plain.id}")

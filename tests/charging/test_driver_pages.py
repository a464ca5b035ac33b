"""The driver's pages over the web: refused forms, where the change goes, and how an own amount is read."""

import html
import re
from urllib.parse import unquote

import pytest
from msgspec.structs import replace
from sqlalchemy import insert, update
from tests.charging.driver_house import DriverHouse
from tests.charging.pages_house import SITE
from tests.german import GERMAN, words_of

from commonwatt import charging, stations
from commonwatt.charging import store
from commonwatt.charging.actions.claim_change import leave_address
from commonwatt.charging.actions.offer_session import open_offer
from commonwatt.charging.effects import SendChange
from commonwatt.charging.model.session import Status
from commonwatt.kit.database import outbox
from commonwatt.kit.pages.assets import BUILT
from commonwatt.kit.web import Site
from commonwatt.stations.events import StationRemoved

pytestmark = pytest.mark.skipif(not (BUILT / "manifest.json").exists(), reason="run `make web` first")
ENGLISH = {"accept": "text/html", "accept-language": "en"}
PAID_MSAT = 9_000_000
CHANGE = "ada@wallet.example"


class Kiosk(DriverHouse):
    """The charge point, priced in euro, before an English driver."""

    def __init__(self, database, clock, ids, site=SITE, euro_per_btc=62_000):
        super().__init__(database, clock, ids, site)
        self.set_price(euro_per_btc)

    def send(self, path, status=303, headers=ENGLISH, **form):
        """Post a form; return the page that it answers with."""
        answer = self.client.post(path, data=form or {"_": ""}, headers=headers, follow_redirects=False)
        assert answer.status_code == status, answer.text
        return answer.text

    def open(self, path, headers=ENGLISH):
        answer = self.client.get(path, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.text

    def charge(self, status=Status.CHARGING, address=None, **session):
        """Store a session in a state."""
        charge = self.act(open_offer, "cp-1-1", PAID_MSAT, address, charging.Rules())
        now = replace(charge.session, status=status, deadline_ms=None, paid_msat=PAID_MSAT, **session)
        charge = replace(charge, progress=replace(charge.progress, session=now))
        self.act(lambda work: store.save_charges(work, [charge]))
        return charge

    def ended(self, address=None):
        """Store a session that is over; half of what was paid is left."""
        return self.charge(Status.ENDED, address, billed=True, billed_msat=PAID_MSAT // 2, cost_msat=PAID_MSAT // 2)

    def address_of(self, charge):
        with self.database.engine.connect() as sql:
            return store.charge_by_id(sql, charge.id).address

    def fail_claim(self, charge):
        """Let the first payment of the change fail for good."""
        values = {"number": 0, "state": "failed", "payment_hash": "ab" * 32, "bolt11": "lnbc1", "amount_msat": 1000}
        self.act(lambda work: work.sql.execute(insert(store.claims).values(session_id=charge.id, made_ms=0, **values)))


@pytest.fixture
def kiosk(database, clock, ids):
    return Kiosk(database, clock, ids)


def notice_in(page):
    """What the notice about the last form says."""
    return words_of(re.search(r'<div id="refused".*?</div>\s*</div>', page, re.DOTALL)[0])


def lives_at(page, address, kiosk):
    """A page that answers a form is followed, and read in another language, at its own address."""
    assert f'data-live-from="{address}"' in page
    back = re.search(r'href="(/language/de[?]back=[^"]+)"', page)[1]
    assert unquote(back.partition("back=")[2]) == address
    german = kiosk.client.get(back, headers={"accept": "text/html"})
    assert (german.status_code, german.url.path) == (200, address)
    assert '<html lang="de"' in german.text


def test_a_refused_payment_leaves_a_page_that_knows_where_it_is(kiosk):
    lives_at(kiosk.send("/c/cp-1-1/pay", 422, own="abc"), "/c/cp-1-1", kiosk)


@pytest.mark.parametrize(
    ("form", "fields", "status"),
    [("address", {"address": "hello"}, 422), ("top-up", {"amount": "1"}, 422), ("stop", {}, 409)],
)
def test_a_refused_form_of_a_session_leaves_a_page_that_knows_where_it_is(kiosk, form, fields, status):
    charge = kiosk.ended() if form == "stop" else kiosk.charge()
    page = kiosk.send(f"/s/{charge.secret}/{form}", status, **fields)
    assert re.search(r'<div id="refused" role="alert" data-live-keep>', page)
    lives_at(page, f"/s/{charge.secret}", kiosk)


def test_a_page_that_answers_no_form_is_followed_where_it_was_opened(kiosk):
    assert "data-live-from" not in kiosk.open("/c/cp-1-1")
    assert '<div id="refused" role="alert" hidden>' in kiosk.open(f"/s/{kiosk.charge().secret}")


def test_the_address_of_a_form_leads_to_its_page(kiosk):
    secret = kiosk.charge().secret
    places = {"/c/cp-1-1/pay": "/c/cp-1-1"} | {
        f"/s/{secret}/{n}": f"/s/{secret}" for n in ("stop", "top-up", "address")
    }
    for typed, page in places.items():
        answer = kiosk.client.get(typed, headers=ENGLISH, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, page)
    answer = kiosk.client.get("/c/a%2F..%2F%2Fb%0D/pay", headers=ENGLISH, follow_redirects=False)
    assert answer.status_code in (303, 404)
    assert not answer.headers.get("location", "/c/").startswith("//")


def test_an_address_that_was_refused_stays_in_its_field(kiosk):
    page = kiosk.send(f"/s/{kiosk.charge().secret}/address", 422, address="ada@")
    assert re.search(r'name="address"[^>]* value="ada@" aria-invalid=true', page)
    assert '<details class="more card" open>' in page


def test_a_driver_reads_where_the_change_goes_corrects_it_and_takes_it_away(kiosk):
    charge = kiosk.charge()
    here = f"/s/{charge.secret}"
    assert "by itself." not in words_of(kiosk.open(here))
    for address in (CHANGE, "eve@wallet.example"):
        kiosk.send(f"{here}/address", address=address)
        page = words_of(kiosk.open(here))
        assert f"Your change goes to {address} by itself." in page
        assert "Change this address, or remove it" in page
    kiosk.send(f"{here}/address", address="  ")
    assert not kiosk.address_of(charge)
    assert "by itself." not in words_of(kiosk.open(here))


def test_an_lnurl_as_address_is_told_by_its_beginning_and_end(kiosk):
    lnurl = kiosk_lnurl(kiosk)
    page = words_of(kiosk.open(f"/s/{kiosk.charge(address=lnurl).secret}"))
    assert f"Your change goes to {lnurl[:16]}\u2026{lnurl[-8:]} by itself." in page


def kiosk_lnurl(kiosk):
    """An LNURL, such as the one of the connector's page."""
    return re.search(r'data-copy="(LNURL1[^"]+)"', kiosk.open("/c/cp-1-1"))[1]


@pytest.mark.parametrize(
    ("address", "failed", "asked", "told"),
    [
        (CHANGE, False, "waiting", "We are asking wallet.example to take your change."),
        (CHANGE, False, "running", "We are asking wallet.example to take your change."),
        (CHANGE, False, "dead", "wallet.example did not take your change. It stays yours"),
        (CHANGE, False, None, "wallet.example did not take your change. It stays yours"),
        (CHANGE, True, "waiting", "could not be delivered to wallet.example yet. We keep trying."),
        (CHANGE, True, "done", "wallet.example did not take your change. It stays yours"),
        (None, True, None, "Your change could not be delivered yet. It stays yours"),
    ],
)
def test_after_the_end_a_driver_reads_how_the_sending_of_the_change_stands(kiosk, address, failed, asked, told):
    charge = kiosk.ended(address)
    if asked:
        effect = SendChange(charge.id, kiosk.clock.now().ms)
        kiosk.act(lambda work: work.request(effect, key=f"change:{charge.id}"))
        kiosk.act(lambda work: work.sql.execute(update(outbox).values(state=asked)))
    if failed:
        kiosk.fail_claim(charge)
    page = kiosk.open(f"/s/{charge.secret}")
    assert told in words_of(page)
    assert 'id="change-card"' in page, "the code is there whatever becomes of the address"
    assert bool(re.search(r'id="state"[^>]* data-live-again="\d+"', page)) == (asked in ("waiting", "running"))


def test_without_an_address_nothing_is_said_of_one(kiosk):
    page = kiosk.open(f"/s/{kiosk.ended().secret}")
    assert "tone-warn" not in page
    assert "asking" not in words_of(page)


def test_an_address_that_is_left_after_the_end_is_asked_at_once(kiosk):
    charge = kiosk.ended()
    kiosk.act(leave_address, charge.secret, CHANGE)
    assert "We are asking wallet.example" in words_of(kiosk.open(f"/s/{charge.secret}"))


@pytest.mark.parametrize("own", ["0.01", "0.06", "5000"])
def test_an_amount_out_of_range_is_refused_in_the_words_of_the_hint(kiosk, own):
    page = kiosk.send("/c/cp-1-1/pay", 422, own=own).replace("\xa0", " ")
    assert "Choose an amount from 0.07 EUR to 620.00 EUR." in notice_in(page)
    assert "From 0.07 EUR to 620.00 EUR." in page
    assert "sats at once" not in page
    german = kiosk.send("/c/cp-1-1/pay", 422, headers=GERMAN, own=own).replace("\xa0", " ")
    assert "Wählen Sie einen Betrag von 0,07 EUR bis 620,00 EUR." in notice_in(german)


@pytest.mark.parametrize("euro_per_btc", [47_123, 60_000, 62_000, 99_999])
@pytest.mark.parametrize("end", ["least", "most"])
def test_the_ends_of_the_range_may_be_typed_as_they_are_read(database, clock, ids, euro_per_btc, end):
    kiosk = Kiosk(database, clock, ids, euro_per_btc=euro_per_btc)
    hint = re.search(r'id="own-hint">From ([\d.,]+)\s*EUR to ([\d.,]+)', html.unescape(kiosk.open("/c/cp-1-1")))
    own = hint[1 if end == "least" else 2].replace(",", "")
    assert "Paying does not work here" in notice_in(kiosk.send("/c/cp-1-1/pay", 503, own=own))


def test_more_credit_out_of_range_is_refused_in_the_currency_of_the_price(kiosk):
    page = kiosk.send(f"/s/{kiosk.charge().secret}/top-up", 422, amount="1").replace("\xa0", " ")
    assert "Choose an amount from" in notice_in(page)
    assert "sats" not in notice_in(page)


@pytest.mark.parametrize("own", ["1,000", "12,500", "1.000", "1,000,000", "1 000", "1'000", "1,000.50", "1.000,50"])
def test_a_thousand_is_not_taken_for_one(kiosk, own):
    said = notice_in(kiosk.send("/c/cp-1-1/pay", 422, own=own))
    assert "Write the amount without a thousands separator, such as 1000 or 1.50." in said
    german = notice_in(kiosk.send("/c/cp-1-1/pay", 422, headers=GERMAN, own=own))
    assert "ohne Tausendertrennzeichen, etwa 1000 oder 1,50" in german


@pytest.mark.parametrize("own", ["1,5", "1,50", "1.5", "1.50", "20", "0,5"])
def test_a_comma_or_a_point_before_less_than_three_digits_is_a_decimal_sign(kiosk, own):
    assert "Paying does not work here" in notice_in(kiosk.send("/c/cp-1-1/pay", 503, own=own))


@pytest.mark.parametrize(
    ("base_url", "shown"),
    [
        ("https://charge.example", True),
        ("https://charge.example:443", True),
        ("https://charge.example:8443", False),
        ("http://charge.example", False),
        ("http://localhost:8080", False),
    ],
)
def test_a_lightning_address_is_shown_where_a_wallet_can_pay_it(database, clock, ids, base_url, shown):
    kiosk = Kiosk(database, clock, ids, Site("Test", base_url))
    page = kiosk.open("/c/cp-1-1")
    assert ("cp-1-1@" in page) == shown
    assert ("or pay to the address" in page) == shown
    lnurl = re.search(r'data-copy="(LNURL1[A-Z0-9]+)"', page)
    assert lnurl is not None, "the code itself can be copied"


@pytest.mark.parametrize("who", ["Ann", "all"])
def test_a_driver_reads_that_the_operator_stopped_it_not_who(kiosk, who):
    charge = kiosk.charge(Status.ENDED, reason=f"{who} stopped it")
    page = words_of(kiosk.open(f"/s/{charge.secret}"))
    assert "The operator stopped it." in page
    assert f"{who} stopped it" not in page
    own = kiosk.charge(Status.ENDED, reason="the driver stopped it")
    assert "You stopped it on this page." in words_of(kiosk.open(f"/s/{own.secret}"))


def test_a_session_at_a_station_that_was_removed_shows_its_change(kiosk):
    charge = kiosk.charge(energy_wh=1000, cost_msat=PAID_MSAT // 2)
    kiosk.act(stations.note_status, [stations.ConnectorStatus("CP-1", 2, "Available", "NoError")])
    kiosk.act(lambda work: store.save_charges(work, [replace(charge, began=work.now)]))
    waiting = kiosk.act(open_offer, "cp-1-2", PAID_MSAT, None, charging.Rules())
    kiosk.act(stations.remove_station, "CP-1")
    kiosk.act(charging.note_removed, StationRemoved("CP-1"))
    words = words_of(kiosk.open(f"/s/{charge.secret}"))
    assert "The charge point was taken out of service." in words
    assert "Your change: 2.79 EUR" in words
    assert 'href="/c/' not in kiosk.open(f"/s/{waiting.secret}")
    assert "CP-1, Connector 1" in words_of(kiosk.open(f"/r/{charge.id}"))
    assert kiosk.client.get(f"/r/{charge.id}.pdf", headers=ENGLISH).content.startswith(b"%PDF")
    assert kiosk.client.get("/c/cp-1-1", headers=ENGLISH).status_code == 404

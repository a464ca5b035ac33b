"""What a driver reads when something is refused: whole in his language, in words for drivers, without jargon."""

import html

import pytest
from tests.charging.driver_house import DriverHouse
from tests.german import GERMAN, english_in, words_of

from commonwatt import charging, stations
from commonwatt.charging import store
from commonwatt.charging.actions.advance_session import advance_session
from commonwatt.charging.actions.offer_session import open_offer
from commonwatt.charging.model.happenings import OfferWithdrawn
from commonwatt.stations import ConnectorStatus

JARGON = ("invoice", "rechnung", "msat", "lnurl", "ocpp", "tarif zu")


def withdraw(work, charge):
    """End an offer."""
    store.save_charges(work, [advance_session(work, charge, OfferWithdrawn("gone"), charging.Rules())])


class Driver(DriverHouse):
    """A German driver before the charge point."""

    def told(self, path, status, **form):
        """Open a page, or post a form; return what it says, which is German and for drivers."""
        send = self.client.post if form else self.client.get
        more = {"data": form, "follow_redirects": False} if form else {}
        answer = send(path, headers=GERMAN, **more)
        assert answer.status_code == status, answer.text
        assert english_in(answer.text) == [], words_of(answer.text)
        said = words_of(answer.text)
        assert not [word for word in JARGON if word in said.lower()], said
        return said


@pytest.fixture
def driver(database, clock, ids):
    return Driver(database, clock, ids)


def test_a_place_without_a_price_speaks_to_its_driver(driver):
    said = driver.told("/c/cp-1-1", 404)
    assert "Dieser Ladepunkt hat noch keinen Preis, darum kann hier niemand bezahlen." in said


def test_a_name_that_no_charge_point_has(driver):
    said = driver.told("/c/nowhere-1", 404)
    assert "Kein Ladepunkt heißt" in said
    assert "Es wurde kein Geld bewegt." in said
    assert "Prüfen Sie die Adresse" in said
    assert "Erneut versuchen" not in said


def test_a_hostile_name_is_shown_as_text(driver):
    answer = driver.client.get("/c/%3Cscript%3Ealert(1)%25s", headers=GERMAN)
    assert answer.status_code == 404
    assert "<script>alert" not in answer.text


def test_without_an_exchange_rate_nobody_pays(driver):
    driver.set_price(euro_per_btc=None)
    assert "kein Wechselkurs für EUR bekannt" in driver.told("/c/cp-1-1", 200)
    assert "kein Wechselkurs für EUR bekannt" in driver.told("/c/cp-1-1/pay", 503, amount="9000000")


def test_an_amount_out_of_range_names_the_range_by_locale(driver):
    driver.set_price()
    said = driver.told("/c/cp-1-1/pay", 422, amount="1")
    assert "Wählen Sie einen Betrag von 0,06 EUR bis 600,00 EUR." in said.replace("\xa0", " "), said


@pytest.mark.parametrize("typed", ["abc", "0", "-5", "5 EUR", "1e99", "NaN"])
def test_an_own_amount_that_is_none_is_called_so_in_the_currency_that_was_asked_for(driver, typed):
    driver.set_price()
    said = driver.told("/c/cp-1-1/pay", 422, own=typed)
    assert f"{typed}' ist kein Betrag in EUR." in html.unescape(said)
    assert "auf einmal zahlen" not in said


def test_a_node_that_is_down_is_no_reason_to_show_its_words(driver):
    driver.set_price()
    said = driver.told("/c/cp-1-1/pay", 503, amount="9000000")
    assert "Bezahlen geht hier im Moment nicht." in said
    assert "03ab" not in said


def test_a_charge_point_in_use(driver):
    driver.set_price()
    driver.act(open_offer, "cp-1-1", 9_000_000, None, charging.Rules())
    driver.act(stations.note_status, [ConnectorStatus("CP-1", 1, "Charging", "NoError")])
    assert "Hier lädt gerade jemand." in driver.told("/c/cp-1-1/pay", 409, amount="9000000")


@pytest.mark.parametrize("status", ["Faulted", "Unavailable"])
def test_a_charge_point_out_of_order(driver, status):
    driver.set_price()
    driver.act(stations.note_status, [ConnectorStatus("CP-1", 1, status, "NoError")])
    assert "außer Betrieb" in driver.told("/c/cp-1-1/pay", 409, amount="9000000")


def test_links_that_lead_nowhere(driver):
    assert "Kein Ladevorgang hat diesen Link." in driver.told("/s/nothing", 404)
    assert "Es gibt keinen Beleg mit dieser Nummer." in driver.told("/r/nothing", 404)


def test_a_session_that_is_not_running_and_an_address_that_is_none(driver):
    driver.set_price()
    charge = driver.act(open_offer, "cp-1-1", 9_000_000, None, charging.Rules())
    here = f"/s/{charge.secret}"
    assert "sobald Energie fließt" in driver.told(f"{here}/top-up", 409, amount="9000000")
    driver.act(withdraw, charge)
    assert "es lässt sich nichts mehr aufstocken" in driver.told(f"{here}/top-up", 409, amount="9000000")
    for wrong in ("hello", "a@", "x y@z", "https://x.example"):
        assert "ist keine Lightning-Adresse" in driver.told(f"{here}/address", 422, address=wrong)


def test_a_method_that_an_address_does_not_take(driver):
    assert "so kann sie nicht aufgerufen werden" in driver.told("/c/cp-1-1", 405, x="1")


def test_the_api_and_the_log_still_read_english(driver):
    answer = driver.client.get("/c/nowhere-1", headers={"accept": "application/json", "accept-language": "de"})
    assert answer.json()["detail"] == "No charge point is named 'nowhere-1'. Scan its code again."

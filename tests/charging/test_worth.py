"""What msat are to people: at the rate of their session, else of now; nothing made up where no rate is known."""

import pytest
from msgspec.structs import replace
from tests.charging.pages_house import House

from commonwatt.charging import Kind, store, worth_of
from commonwatt.kernel import EUR, Amount
from commonwatt.tariffs import Rate, store_rate

PAID_MSAT = 9_000_000


@pytest.fixture
def house(database, clock, ids):
    house = House(database, clock, ids)
    house.furnish()
    return house


def worth(house, subject=""):
    with house.database.engine.connect() as sql:
        return worth_of(sql, subject, PAID_MSAT, house.clock.now(), "EUR")


def set_rate(house, euro_per_btc):
    return house.act(store_rate, Rate("", "EUR", euro_per_btc * 1_000_000, house.clock.now(), ("fixed",)))


def test_without_a_rate_nothing_is_made_up(house):
    assert worth(house) is None
    assert worth(house, "session/unknown") is None


def test_a_session_keeps_the_rate_that_it_has_locked(house):
    locked = set_rate(house, 60_000)
    charge = house.charge(stop=False)
    session = replace(charge.session, transaction_id=None)
    progress = replace(charge.progress, session=session)
    prepaid = replace(
        charge, id="paid", progress=progress, kind=Kind.PREPAID, rate_id=locked.id, secret="s", id_tag="ours"
    )
    house.act(store.insert_charge, prepaid)
    set_rate(house, 90_000)
    assert worth(house, "session/paid") == Amount(EUR, 5_400_000)
    assert worth(house) == Amount(EUR, 8_100_000)
    assert worth(house, "session/unknown") == Amount(EUR, 8_100_000)
    assert worth(house, f"session/{charge.id}") is None, "on account nothing is paid in bitcoin"

"""An offer made by a program: the same key opens one session, and its link is told again without being kept."""

import pytest
from tests.main.whole import build_whole

from commonwatt import stations
from commonwatt.members import TERMINAL, create_token
from commonwatt.stations import ConnectorStatus

KEY = "offer-1"


async def test_a_repeated_offer_opens_one_session(tmp_path, clock, ids, monkeypatch):
    whole = await build_whole(tmp_path, clock, ids)
    token = whole.act(create_token, TERMINAL, "shop", ["sessions:write"]).token
    whole.act(stations.note_connected, "TOWN-HALL", "10.0.0.7", "ocpp1.6")
    whole.act(stations.note_status, [ConnectorStatus("TOWN-HALL", 1, "Available", "NoError")])
    headers = {"authorization": f"Bearer {token}", "Idempotency-Key": KEY}
    body = {"connector": "town-hall-1", "amount_msat": 5_000_000}

    def offer():
        return whole.client.post("/api/v1/sessions", json=body, headers=headers)

    assert offer().json()["slug"] == "connector-out", "nothing was opened, so the key is free"
    monkeypatch.setattr(whole.house.hub, "is_connected", lambda _identity: True)
    first, again = offer(), offer()
    assert first.status_code == 201, first.text
    assert first.json() == again.json()
    assert "/s/" in first.json()["link"]
    with whole.house.database.engine.connect() as sql:
        kept = str(sql.exec_driver_sql("SELECT answer FROM idempotency_answer").all())
        (count,) = sql.exec_driver_sql("SELECT count(*) FROM session").one()
    assert count == 1
    assert first.json()["link"].rsplit("/", 1)[1] not in kept


def ready(whole, monkeypatch):
    """Let TOWN-HALL be free, and return the headers of a program that may offer there."""
    token = whole.act(create_token, TERMINAL, "shop", ["sessions:write"]).token
    whole.act(stations.note_connected, "TOWN-HALL", "10.0.0.7", "ocpp1.6")
    whole.act(stations.note_status, [ConnectorStatus("TOWN-HALL", 1, "Available", "NoError")])
    monkeypatch.setattr(whole.house.hub, "is_connected", lambda _identity: True)
    return {"authorization": f"Bearer {token}"}


@pytest.mark.parametrize("address", ["foo", "http://x", "alice@localhost", "a@b@c", "x" * 300])
async def test_change_is_promised_only_to_an_address_that_can_be_asked(tmp_path, clock, ids, monkeypatch, address):
    whole = await build_whole(tmp_path, clock, ids)
    body = {"connector": "town-hall-1", "amount_msat": 5_000_000, "change_address": address}
    answer = whole.client.post("/api/v1/sessions", json=body, headers=ready(whole, monkeypatch))
    assert (answer.status_code, answer.json()["slug"]) == (422, "address-unusable"), answer.text
    assert answer.json()["field"] == "change_address"
    with whole.house.database.engine.connect() as sql:
        assert sql.exec_driver_sql("SELECT count(*) FROM session").scalar() == 0


@pytest.mark.parametrize(("address", "kept"), [(" alice@wallet.example ", "alice@wallet.example"), ("", None)])
async def test_an_offer_tells_the_address_that_was_kept(tmp_path, clock, ids, monkeypatch, address, kept):
    whole = await build_whole(tmp_path, clock, ids)
    headers = ready(whole, monkeypatch)
    body = {"connector": "town-hall-1", "amount_msat": 5_000_000, "change_address": address}
    answer = whole.client.post("/api/v1/sessions", json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    session = answer.json()["session"]
    assert session["address"] == kept
    assert whole.client.get(f"/api/v1/sessions/{session['id']}", headers=headers).json()["address"] == kept

"""Change that is withheld since a backup was restored, before programs and wallets."""

import pytest
from msgspec.structs import replace
from tests.main.whole import build_whole

from commonwatt import charging
from commonwatt.charging import store
from commonwatt.charging.actions.offer_session import open_offer
from commonwatt.charging.model.session import Status
from commonwatt.members import TERMINAL, create_token
from commonwatt.stations import ConnectorStatus, note_connected, note_status

PAID_MSAT = 9_000_000


@pytest.fixture
async def whole(tmp_path, clock, ids):
    whole = await build_whole(tmp_path, clock, ids)
    yield whole
    await whole.house.stop()


def owing(work):
    """Store a session that is over and owes half of what was paid."""
    note_connected(work, "TOWN-HALL", "10.0.0.7", "ocpp1.6")
    note_status(work, [ConnectorStatus("TOWN-HALL", 1, "Available", "NoError")])
    charge = open_offer(work, "town-hall-1", PAID_MSAT, None, charging.Rules())
    half = {"billed_msat": PAID_MSAT // 2, "cost_msat": PAID_MSAT // 2}
    ended = replace(charge.session, status=Status.ENDED, deadline_ms=None, paid_msat=PAID_MSAT, billed=True, **half)
    charge = replace(charge, progress=replace(charge.progress, session=ended))
    store.save_charges(work, [charge])
    return charge


def token(whole, *scopes):
    return {"Authorization": f"Bearer {whole.act(create_token, TERMINAL, 'Shop', list(scopes), 3600).token}"}


async def test_programs_see_what_is_withheld_and_release_it_once(whole, clock):
    charge = whole.act(owing)
    whole.client.cookies.clear()
    whole.act(charging.withhold_change)
    reads, writes = token(whole, "payments:read", "sessions:read"), token(whole, "sessions:write")
    (owed,) = whole.client.get("/api/v1/refunds", headers=reads).json()["items"]
    assert (owed["id"], owed["withheld"]) == (charge.id, clock.now().iso())
    path = f"/api/v1/sessions/{charge.id}/release"
    assert whole.client.post(path, headers=reads).status_code == 403
    answers = [whole.client.post(path, headers={"Idempotency-Key": "one", **writes}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert answers[0].json()["withheld"] is None
    assert whole.client.post(path, headers=writes).json()["withheld"] is None
    whole.client.post(path, headers=writes)
    acts = "SELECT count(*) FROM audit WHERE act = 'release change'"
    with whole.house.database.engine.connect() as sql:
        assert sql.exec_driver_sql(acts).scalar_one() == 1
    missing = whole.client.post("/api/v1/sessions/none/release", headers=writes)
    assert (missing.status_code, missing.json()["slug"]) == (404, "no-such-session")


async def test_only_programs_that_may_see_id_tags_are_told_where_change_goes(whole):
    charge = replace(whole.act(owing), address="ada@wallet.example")
    whole.act(lambda work: store.save_charges(work, [charge]))
    whole.client.cookies.clear()
    reads, writes = token(whole, "payments:read", "sessions:read"), token(whole, "payments:read", "sessions:write")
    for headers, told in ((reads, None), (writes, "ada@wallet.example")):
        for path in ("/api/v1/refunds", "/api/v1/sessions"):
            (found,) = whole.client.get(path, headers=headers).json()["items"]
            assert (found["id"], found["address"]) == (charge.id, told)
        assert whole.client.get(f"/api/v1/sessions/{charge.id}", headers=headers).json()["address"] == told


async def test_a_wallet_is_told_in_words_it_can_show(whole):
    charge = whole.act(owing)
    here = f"/lnurl/withdraw/{charge.secret}"
    offered = whole.client.get(here).json()
    assert offered["tag"] == "withdrawRequest"
    whole.act(charging.withhold_change)
    assert "restored from a backup" in whole.client.get(here).json()["reason"]
    assert whole.client.get(here).json()["status"] == "ERROR"
    whole.act(charging.release_change, charge.id, actor=TERMINAL)
    assert whole.client.get(here).json() == offered


async def test_a_wallet_that_looks_for_withheld_change_stops_no_charge(whole):
    charge = whole.act(owing)
    running = replace(charge.session, status=Status.CHARGING, billed=False, billed_msat=0, transaction_id=7)
    charge = replace(charge, progress=replace(charge.progress, session=running))
    whole.act(lambda work: store.save_charges(work, [charge]))
    whole.act(charging.withhold_change)
    assert "restored from a backup" in whole.client.get(f"/lnurl/withdraw/{charge.secret}").json()["reason"]
    with whole.house.database.engine.connect() as sql:
        assert store.charge_by_id(sql, charge.id).session.status is Status.CHARGING

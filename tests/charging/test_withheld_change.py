"""Change that is withheld since a backup was restored: what its driver and the owner read, and how it is released."""

import re
from dataclasses import replace as changed

import pytest
from msgspec.structs import replace
from sqlalchemy import insert, select, update
from tests.charging.driver_house import DriverHouse
from tests.charging.pages_house import AUDITOR, OWNER, House
from tests.german import GERMAN, words_of

from commonwatt import charging, stations
from commonwatt.charging import store
from commonwatt.charging.actions.claim_change import leave_address, offer_change, reserve_change
from commonwatt.charging.actions.offer_session import open_offer
from commonwatt.charging.actions.release_change import release_change
from commonwatt.charging.actions.withhold_change import withhold_change
from commonwatt.charging.charge import Kind
from commonwatt.charging.errors import ChangeWithheld, NoChange, SessionRunning
from commonwatt.charging.jobs import pay_address
from commonwatt.charging.model.session import Status
from commonwatt.kit.database import outbox
from commonwatt.kit.pages.assets import BUILT
from commonwatt.members import TERMINAL
from commonwatt.members.store import audit
from commonwatt.payments.store import invoices
from commonwatt.stations import ConnectorStatus

pytestmark = pytest.mark.skipif(not (BUILT / "manifest.json").exists(), reason="run `make web` first")
ENGLISH = {"accept": "text/html", "accept-language": "en"}
PAID_MSAT = 9_000_000
ADDRESS = "ada@wallet.example"


class Site(DriverHouse):
    """A charge point with sessions of every kind; a driver opens it by `open`."""

    def __init__(self, database, clock, ids):
        super().__init__(database, clock, ids)
        self.set_price()
        self.places = 0

    def open(self, path, headers=ENGLISH):
        answer = self.client.get(path, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.text

    def keep(self, status=Status.ENDED, *, left_msat=PAID_MSAT // 2, address=None, **more):
        """Store a session that was paid; one that is over owes what is left."""
        over = {"billed": True, "billed_msat": PAID_MSAT - left_msat, "cost_msat": PAID_MSAT - left_msat}
        over = over if status in (Status.ENDED, Status.CANCELLED) else {}
        self.places += 1
        self.act(stations.note_status, [ConnectorStatus("CP-1", self.places, "Available", "NoError")])
        charge = self.act(open_offer, f"cp-1-{self.places}", PAID_MSAT, address, charging.Rules())
        state = replace(charge.session, status=status, deadline_ms=None, paid_msat=PAID_MSAT, **over)
        charge = replace(charge, progress=replace(charge.progress, session=state), **more)
        self.act(lambda work: store.save_charges(work, [charge]))
        return charge

    def now(self, charge):
        with self.database.engine.connect() as sql:
            return store.charge_by_id(sql, charge.id)

    def jobs(self):
        with self.database.engine.connect() as sql:
            sent = outbox.c.kind == "charging.SendChange"
            return list(sql.execute(select(outbox.c.key).where(sent, outbox.c.state == "waiting")).scalars())


@pytest.fixture
def site(database, clock, ids):
    return Site(database, clock, ids)


def test_all_is_withheld_whose_change_may_have_been_paid_since(site, clock):
    over = site.keep(left_msat=0)
    settled = [over, site.keep(left_msat=999), site.keep(Status.CANCELLED, left_msat=0)]
    local = site.keep(Status.CHARGING)
    site.act(lambda work: work.sql.execute(update(store.sessions).where(store.sessions.c.id == local.id)
                                           .values(kind=Kind.LOCAL.value)))  # fmt: skip
    owing = [site.keep(), site.keep(Status.CANCELLED, left_msat=PAID_MSAT)]
    running = [site.keep(status) for status in (Status.OFFERED, Status.STARTING, Status.CHARGING, Status.STOPPING)]
    unsettled = site.keep(left_msat=0)
    claimed = site.keep(left_msat=0)
    claim = {"number": 0, "payment_hash": "ab", "bolt11": "", "amount_msat": 1, "made_ms": 0}
    states = [(over, "done"), (over, "failed"), (claimed, "paying")]
    for number, (charge, state) in enumerate(states):
        row = {**claim, "session_id": charge.id, "number": number, "state": state}
        site.act(lambda work, row=row: work.sql.execute(insert(store.claims).values(row)))
    bare = {"preimage": bytes(32), "account": "", "rail": "far", "amount_msat": 5, "hold": True, "description": ""}
    bare |= {"made_ms": 0, "expires_ms": 0, "next_check_ms": 0}
    for number, (charge, state) in enumerate([(unsettled, "open"), (over, "settled"), (over, "cancelled")]):
        row = {**bare, "subject": charge.subject, "payment_hash": f"{number:064x}", "state": state}
        site.act(lambda work, row=row: work.sql.execute(insert(invoices).values(row)))
    assert site.act(withhold_change) == len(owing) + len(running) + 2
    assert all(site.now(charge).withheld == clock.now() for charge in (*owing, *running, unsettled, claimed))
    assert not any(site.now(charge).withheld for charge in (*settled, local))
    with site.database.engine.connect() as sql:
        assert [charge.id for charge in store.withholding_charges(sql)] == [charge.id for charge in owing]
        assert store.sum_withheld(sql) == (2, PAID_MSAT // 2 + PAID_MSAT)
        acts = sql.execute(select(audit.c.actor, audit.c.detail).where(audit.c.act == "withhold change")).all()
    assert acts == [("terminal", '{"sessions": 8}')]


def test_nothing_of_it_is_offered_claimed_or_sent_until_it_is_released(site):
    charge = site.keep()
    site.act(withhold_change)
    with site.database.engine.connect() as sql, pytest.raises(ChangeWithheld, match="It stays yours"):
        offer_change(sql, charge.secret)
    site.act(leave_address, charge.secret, ADDRESS)
    assert site.jobs() == [], "an address is noted, not asked"
    site.act(release_change, charge.id, actor=TERMINAL)
    site.act(release_change, charge.id, actor=TERMINAL)
    assert site.jobs() == [f"change:{charge.id}"]
    with site.database.engine.connect() as sql:
        assert offer_change(sql, charge.secret).max_msat == charge.owed_msat
        acts = sql.execute(select(audit.c.subject, audit.c.detail).where(audit.c.act == "release change")).all()
    assert acts == [(charge.subject, f'{{"owed_msat": {charge.owed_msat}}}')]


def test_what_is_not_known_yet_cannot_be_released(site):
    charge = site.keep(Status.CHARGING)
    site.act(withhold_change)
    with pytest.raises(SessionRunning, match="after its end"):
        site.act(release_change, charge.id, actor=TERMINAL)
    with site.database.engine.connect() as sql, pytest.raises(ChangeWithheld):
        offer_change(sql, charge.secret)
    assert site.now(charge).withheld is not None


def test_used_up_change_is_said_to_be_none_though_the_session_was_withheld(site):
    charge = site.keep(Status.CHARGING)
    site.act(withhold_change)
    session_now = replace(charge.session, status=Status.ENDED, billed=True, billed_msat=PAID_MSAT, cost_msat=PAID_MSAT)
    ended = replace(charge, progress=replace(charge.progress, session=session_now))
    site.act(lambda work: store.save_charges(work, [ended]))
    assert site.now(charge).withheld, "what is saved of a charge leaves this alone"
    with site.database.engine.connect() as sql, pytest.raises(NoChange):
        offer_change(sql, charge.secret)


def test_no_invoice_takes_it_by_whatever_way(site):
    charge = site.keep(address=ADDRESS)
    site.act(withhold_change)
    with pytest.raises(ChangeWithheld):
        site.act(reserve_change, site.now(charge), "lnbc1", "ab" * 32, 1000, ("far",), charging.Rules())
    assert site.act(pay_address, charge, 1000, "lnbc1", ("far",), charging.Rules()) is None, "asked before the restore"


@pytest.mark.parametrize("status", [Status.ENDED, Status.CANCELLED])
def test_a_driver_reads_why_instead_of_a_code_that_would_not_pay(site, status):
    charge = site.keep(status, address=ADDRESS)
    page = site.open(f"/s/{charge.secret}")
    assert 'id="change-card"' in page
    site.act(withhold_change)
    page = site.open(f"/s/{charge.secret}")
    assert 'id="change-card"' not in page
    assert "lightning:lnurl" not in page.lower()
    words = words_of(page)
    assert "This site was restored from a backup." in words
    assert "It stays yours" in words
    assert "Once it is released, it goes to wallet.example by itself." in words
    assert "aus einer Sicherung wiederhergestellt" in words_of(site.open(f"/s/{charge.secret}", GERMAN))
    site.act(release_change, charge.id, actor=TERMINAL)
    assert 'id="change-card"' in site.open(f"/s/{charge.secret}")


def test_a_driver_whose_charge_still_runs_is_promised_nothing_at_once(site):
    charge = site.keep(Status.CHARGING, address=ADDRESS)
    assert "goes to ada@wallet.example by itself" in words_of(site.open(f"/s/{charge.secret}"))
    site.act(withhold_change)
    words = words_of(site.open(f"/s/{charge.secret}"))
    assert "it is not paid by itself, and it stays yours" in words
    assert "Once it is released, your change goes to ada@wallet.example by itself." in words
    assert "is yours at once" not in words


@pytest.fixture
def office(site, clock):
    house = House(site.database, clock, site.ids)
    house.box["actor"] = proved(OWNER, clock)
    return house


def proved(actor, clock):
    return changed(actor, member_id="1", proved_ms=clock.now().ms)


def test_the_owner_finds_what_is_withheld_and_releases_it_one_by_one(site, office):
    first, second, dust = site.keep(), site.keep(address=ADDRESS), site.keep(left_msat=500)
    assert "Withheld" not in office.open("/owed")
    assert "All is well" not in words_of(office.open("/owed"))
    assert "Change is withheld" not in office.open("/overview")
    site.act(withhold_change)
    assert 'href="/owed"' in re.search(r"Change is withheld since.*?</a>", office.open("/overview"), re.DOTALL)[0]
    page = office.open("/owed")
    words = words_of(page)
    assert words.count("Withheld") == 2
    assert "A backup was restored, so 9,000 sats of 2 sessions is withheld" in words
    assert "4,500 sats is paid to ada@wallet.example at once." in words
    assert "Whoever has the session's link can take 4,500 sats from then on." in words
    assert "This cannot be undone." in words
    office.open(f"/sessions/{second.id}")
    assert office.send("/owed/release", sessions=first.id) == "/owed?done=released"
    assert "The change was released." in office.open("/owed?done=released")
    assert [bool(site.now(charge).withheld) for charge in (first, second, dust)] == [False, True, False]
    assert office.send(f"/sessions/{second.id}/release") == f"/sessions/{second.id}?done=release"
    assert "Withheld" not in office.open("/owed")
    assert "Change is withheld" not in office.open("/overview")
    assert site.jobs() == [f"change:{second.id}"]


def test_the_owner_releases_all_that_the_question_named(site, office):
    named = [site.keep() for _ in range(3)]
    site.act(withhold_change)
    ids = re.search(r'name="sessions" value="([^"]+,[^"]+)"', office.open("/owed"))[1]
    late = site.keep()
    site.act(lambda work: store.save_withheld(work, [late.id], work.now))
    office.send("/owed/release", sessions=ids)
    assert [bool(site.now(charge).withheld) for charge in (*named, late)] == [False] * 3 + [True]


def test_the_page_of_a_session_says_so_and_offers_it(site, office):
    running, owing = site.keep(Status.CHARGING), site.keep()
    site.act(withhold_change)
    assert "Its change does not leave by itself" in office.open(f"/sessions/{running.id}")
    assert "Release change" not in office.open(f"/sessions/{running.id}")
    page = office.open(f"/sessions/{owing.id}")
    assert f'action="/sessions/{owing.id}/release"' in page
    assert "its change may have been paid before" in page
    office.send(f"/sessions/{running.id}/release", 409)


def test_who_may_not_act_or_has_not_proved_it_releases_nothing(site, office, clock):
    charge = site.keep()
    site.act(withhold_change)
    office.box["actor"] = AUDITOR
    assert "Withheld" in office.open("/owed")
    assert "Release change" not in office.open("/owed")
    office.send("/owed/release", 403, sessions=charge.id)
    office.box["actor"] = changed(proved(OWNER, clock), proved_ms=-(10**9))
    answer = office.client.post(f"/sessions/{charge.id}/release", data={"_": ""}, follow_redirects=False)
    assert answer.status_code != 303 or "/prove" in answer.headers["location"]
    assert site.now(charge).withheld


def test_the_file_of_change_owed_tells_since_when(site, office, clock):
    site.keep()
    site.act(withhold_change)
    head, row = office.open("/owed", format="csv").splitlines()
    assert head.endswith(",withheld")
    assert row.endswith(clock.now().iso())

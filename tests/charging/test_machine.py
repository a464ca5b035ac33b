"""The laws of the machine, in whatever order things happen: no money lost, nothing billed twice, every end reached."""

from hypothesis import given, settings
from hypothesis import strategies as st

from commonwatt.charging.model.happenings import (
    Began,
    Expired,
    Finished,
    Held,
    HoldLost,
    Metered,
    OfferWithdrawn,
    Paid,
    StartAnswered,
    StopAnswered,
    StopAsked,
    Vanished,
)
from commonwatt.charging.model.session import RULES, UNREPORTED, Session, Status, Terms, Wish, step
from commonwatt.kernel import Instant

TERMS = Terms()
NOON = Instant(1_800_000_000_000)


def run(session, *happenings, now=NOON):
    wishes = []
    for happening in happenings:
        session, asked = step(session, happening, TERMS, now)
        wishes += asked
    return session, wishes


OFFERED = Session(Status.OFFERED, deadline_ms=NOON.ms)


def test_a_held_payment_is_taken_at_the_first_energy_and_the_change_goes_back():
    session, wishes = run(OFFERED, Held(1000), StartAnswered(True), Began(7), Metered(0, 0), Metered(5, 10))
    assert session.status is Status.CHARGING
    assert wishes == [Wish.ASK_START, Wish.CAPTURE]
    session, wishes = run(session, Paid(1000, was_held=True), Metered(50, 300), Finished(60, 360, "EVDisconnected"))
    assert wishes == [Wish.BILL, Wish.RETURN_CHANGE]
    assert (session.status, session.billed_msat, session.change_msat) == (Status.ENDED, 360, 640)


def test_the_bill_waits_for_money_that_is_being_taken():
    session, wishes = run(OFFERED, Held(1000), Began(7), Metered(5, 10), Finished(9, 90))
    assert (session.status, session.billed, Wish.BILL in wishes) == (Status.ENDED, False, False)
    session, wishes = run(session, Paid(1000, was_held=True))
    assert (session.billed_msat, wishes) == (90, [Wish.BILL, Wish.RETURN_CHANGE])


def test_accepted_but_never_plugged_gives_all_back_without_being_asked():
    session, wishes = run(OFFERED, Held(1000), StartAnswered(True), Expired())
    assert (session.status, wishes[-1]) == (Status.CANCELLED, Wish.GIVE_BACK)
    session, wishes = run(OFFERED, Paid(1000), StartAnswered(True), Expired())
    assert (session.change_msat, wishes[-1]) == (1000, Wish.RETURN_CHANGE)


def test_a_declined_start_gives_all_back():
    assert run(OFFERED, Held(1000), StartAnswered(False))[1] == [Wish.ASK_START, Wish.GIVE_BACK]


def test_an_unknown_start_waits_for_the_deadline():
    assert run(OFFERED, Held(1000), StartAnswered(None))[0].status is Status.STARTING


def test_who_pays_second_gets_the_money_back():
    session, wishes = run(OFFERED, Held(1000, free=False))
    assert (session.status, wishes) == (Status.CANCELLED, [Wish.GIVE_BACK])


def test_the_credit_ends_the_charge_and_the_bill_never_exceeds_it():
    session, wishes = run(OFFERED, Paid(100), Began(7), Metered(50, 90, enough=False))
    assert (session.status, wishes[-1]) == (Status.STOPPING, Wish.ASK_STOP)
    session, _ = run(session, Finished(80, 130))
    assert (session.billed_msat, session.uncollected_msat, session.change_msat) == (100, 30, 0)


def test_a_top_up_adds_to_the_credit_and_comes_back_when_it_comes_too_late():
    session, _ = run(OFFERED, Paid(100), Began(7), Metered(50, 90), Paid(100))
    assert session.credit_msat == 200
    session, wishes = run(session, Finished(60, 110), Paid(50))
    assert (session.change_msat, wishes) == (140, [Wish.BILL, Wish.RETURN_CHANGE, Wish.RETURN_CHANGE])


def test_a_payment_after_expiry_goes_back():
    session, wishes = run(OFFERED, Expired(), Held(1000))
    assert (session.status, wishes) == (Status.CANCELLED, [Wish.GIVE_BACK])
    assert run(OFFERED, OfferWithdrawn("busy"), Paid(1000))[0].change_msat == 1000


def test_a_payment_that_is_heard_of_after_its_offer_lapsed_starts_nothing_and_goes_back():
    """It was made while we were away: the driver has gone, and another car could come to charge on it."""
    later = NOON.plus(seconds=1)
    session, wishes = run(OFFERED, Held(1000), now=later)
    assert (session.status, wishes) == (Status.CANCELLED, [Wish.GIVE_BACK])
    session, wishes = run(OFFERED, Paid(1000), now=later)
    assert (session.status, session.change_msat, wishes) == (Status.CANCELLED, 1000, [Wish.RETURN_CHANGE])
    assert run(OFFERED, Held(1000), now=NOON)[0].status is Status.STARTING


def test_a_silent_station_is_billed_by_its_last_reading():
    session, _ = run(OFFERED, Paid(1000), Began(7), Metered(50, 300), StopAsked("the driver asked"), Expired())
    assert (session.status, session.billed_msat) == (Status.ENDED, 300)
    assert session.reason == f"the driver asked; {UNREPORTED}"


def test_a_declined_stop_hurries_the_end():
    session, _ = run(OFFERED, Paid(1000), Began(7), Metered(50, 300), StopAsked("x"), StopAnswered(False))
    assert session.deadline_ms == NOON.plus(seconds=TERMS.vanish_s).ms


def test_a_station_that_goes_on_after_a_reboot_goes_on():
    session, _ = run(OFFERED, Paid(1000), Began(7), Metered(50, 300), Vanished(180))
    assert session.deadline_ms == NOON.plus(seconds=180).ms
    assert run(session, Metered(60, 330))[0].deadline_ms is None


def test_a_start_after_the_cancellation_is_stopped_and_costs_nothing():
    session, wishes = run(OFFERED, Held(1000), Expired(), HoldLost(1000), Began(7), Metered(50, 300), Finished(60, 360))
    assert (session.status, session.billed_msat, wishes[-1]) == (Status.CANCELLED, 0, Wish.ASK_STOP)


def test_a_session_without_energy_costs_nothing_even_under_a_flat_fee():
    session, _ = run(OFFERED, Paid(1000), Began(7), Metered(0, 500), Finished(0, 500))
    assert (session.status, session.change_msat) == (Status.CANCELLED, 1000)


def test_on_account_nothing_is_limited_by_credit():
    session = Session(Status.STARTED, prepaid=False, transaction_id=7)
    session, wishes = run(session, Metered(50, 0), Metered(90, 0), Finished(99, 0))
    assert (session.status, wishes) == (Status.ENDED, [Wish.BILL])


amounts = st.integers(1, 10**6)
free = st.booleans()
happenings = st.one_of(
    st.builds(Held, amounts, free),
    st.builds(Paid, amounts, st.just(False), free),
    st.builds(OfferWithdrawn, st.just("busy")),
    st.builds(StartAnswered, st.sampled_from([True, False, None])),
    st.builds(StopAnswered, st.sampled_from([True, False, None])),
    st.builds(Began, st.integers(1, 9)),
    st.builds(Metered, st.integers(0, 1000), st.integers(0, 10**6), st.booleans()),
    st.builds(StopAsked, st.just("somebody")),
    st.builds(Finished, st.integers(0, 1000), st.integers(0, 10**6)),
    st.builds(Vanished),
    st.just(Expired()),
    st.sampled_from(["capture", "lose"]),
)


@settings(max_examples=1500)
@given(st.lists(happenings, max_size=14))
def test_the_laws_hold_whatever_happens(story):
    """A rail that obeys: it captures or gives back what is locked, only after it was asked."""
    session, now, came, bills = OFFERED, NOON, 0, 0
    asked: set[Wish] = set()
    for told in [*story, StopAsked("end"), Expired(), Expired(), Expired(), "capture", "lose", Expired()]:
        now = now.plus(seconds=1000)
        happening = told
        if told == "capture":
            if not (Wish.CAPTURE in asked and session.held_msat):
                continue
            happening = Paid(session.held_msat, was_held=True)
        elif told == "lose":
            if not (Wish.GIVE_BACK in asked and session.held_msat):
                continue
            happening = HoldLost(session.held_msat)
        if isinstance(happening, Paid):
            came += happening.amount_msat
        before = session
        session, wishes = step(session, happening, TERMS, now)
        asked |= set(wishes)
        bills += wishes.count(Wish.BILL)
        assert session.paid_msat == came
        assert 0 <= session.billed_msat <= session.paid_msat
        assert session.billed_msat <= session.cost_msat or session.billed_msat == 0
        assert session.cost_msat >= before.cost_msat or session.status is Status.CANCELLED
        assert bills <= 1
        if before.billed:
            assert session.billed_msat == before.billed_msat
        if before.over:
            assert session.over
    assert session.over
    assert session.billed or session.held_msat


def test_every_status_before_the_end_has_a_way_out():
    left = {state for rule in RULES for state in rule.states if any(to is not state for to in rule.leads_to)}
    assert left == {Status.OFFERED, Status.STARTING, Status.STARTED, Status.CHARGING, Status.STOPPING}

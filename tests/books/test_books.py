"""Each write on the books: what it does, what a repeat answers, what is refused."""

import pytest
from sqlalchemy import text

from commonwatt.books import (
    BooksChecked,
    Entry,
    HoldState,
    JournalFilter,
    available,
    balance,
    capture,
    check_books,
    export_journal,
    hold,
    journal,
    list_accounts,
    post,
    release,
    trial_balance,
)
from commonwatt.books.errors import (
    AccountUnknown,
    AmountImpossible,
    BooksBroken,
    HoldEnded,
    HoldMissing,
    KeyReused,
    Overdrawn,
    Unbalanced,
)
from commonwatt.kernel import BTC, ENERGY, EUR, Amount
from commonwatt.kit.database import Work

SESSION = "session:s1"


def msat(units: int) -> Amount:
    return Amount(BTC, units)


def pay_in(work, units=1000, key="in", session=SESSION):
    lines = [Entry.debit("rail:sandbox", msat(units)), Entry.credit(session, msat(units))]
    return post(work, key, lines, "The driver paid", session)


def test_a_posting_moves_what_it_says(work):
    posting = pay_in(work)
    assert posting.number == 1
    assert posting.entries == (Entry("rail:sandbox", msat(1000)), Entry(SESSION, msat(-1000)))
    assert balance(work.sql, "rail:sandbox") == msat(1000)
    assert balance(work.sql, SESSION) == msat(1000)
    assert available(work.sql, SESSION) == msat(1000)
    assert check_books(work.sql) == BooksChecked(accounts=2, postings=1, entries=2)


def test_the_same_key_and_content_answers_the_same_and_books_nothing(work):
    first = pay_in(work)
    post(work, "bill", [Entry.debit(SESSION, msat(1000)), Entry.credit("revenue", msat(1000))], "Bill")
    assert pay_in(work) == first
    assert balance(work.sql, "rail:sandbox") == msat(1000)


def test_a_repeat_answers_the_same_even_where_the_account_is_empty_by_now(work):
    pay_in(work)
    lines = [Entry.debit(SESSION, msat(1000)), Entry.credit("revenue", msat(1000))]
    first = post(work, "bill", lines, "Bill")
    assert post(work, "bill", lines, "Bill") == first


@pytest.mark.parametrize("change", ["amount", "memo", "reference"])
def test_the_same_key_with_other_content_is_refused(work, change):
    pay_in(work)
    lines = [Entry.debit("rail:sandbox", msat(999 if change == "amount" else 1000))]
    lines.append(Entry(SESSION, -lines[0].amount))
    memo = "Other" if change == "memo" else "The driver paid"
    reference = "other" if change == "reference" else SESSION
    with pytest.raises(KeyReused) as refused:
        post(work, "in", lines, memo, reference)
    assert refused.value.fields == {"key": "in", "number": 1}
    assert balance(work.sql, "rail:sandbox") == msat(1000)


def test_one_key_serves_one_kind_of_write(work):
    pay_in(work)
    with pytest.raises(KeyReused):
        hold(work, "in", SESSION, "rail:sandbox", msat(1), "The driver paid")
    kept = hold(work, "h", SESSION, "rail:sandbox", msat(1), "Change")
    with pytest.raises(KeyReused):
        capture(work, "h", kept.id)
    with pytest.raises(KeyReused):
        release(work, "in", kept.id)
    assert capture(work, "c", kept.id).number == 3


def test_assets_are_balanced_one_by_one(work):
    lines = [Entry.debit("exchange", msat(5)), Entry.credit("revenue", Amount(EUR, 5))]
    with pytest.raises(Unbalanced, match="exceed the credits by 5 units of BTC"):
        post(work, "mixed", lines, "Mixed")
    both = [*lines, Entry.credit("revenue", msat(5)), Entry.debit("exchange", Amount(EUR, 5))]
    post(work, "both", both, "Both")
    assert balance(work.sql, "revenue", asset=EUR) == Amount(EUR, 5)
    assert balance(work.sql, "exchange") == msat(-5)


def test_entries_of_zero_are_left_out_and_nothing_alone_is_refused(work):
    posting = post(
        work,
        "k",
        [Entry.debit("rail:a", msat(1)), Entry.credit("revenue", msat(1)), Entry.credit("vat:19", msat(0))],
        "",
    )
    assert len(posting.entries) == 2
    for lines in ([], [Entry.debit("rail:a", msat(0))]):
        with pytest.raises(Unbalanced, match="moves nothing"):
            post(work, "none", lines, "")


@pytest.mark.parametrize(
    "name", ["", "Revenue", "session: x", "sesion:x", "session:", "session:x ", "session:\x00", "x" * 999, "vat:é\n"]
)
def test_a_slip_in_a_name_opens_no_account(work, name):
    with pytest.raises(AccountUnknown):
        post(work, "k", [Entry.debit(name, msat(1)), Entry.credit("revenue", msat(1))], "")
    with pytest.raises(AccountUnknown):
        balance(work.sql, name)
    with pytest.raises(AccountUnknown):
        hold(work, "h", "revenue", name, msat(1), "")


def test_a_session_is_never_overdrawn_and_a_refused_key_is_free_again(work):
    pay_in(work)
    lines = [Entry.debit(SESSION, msat(1001)), Entry.credit("revenue", msat(1001))]
    with pytest.raises(Overdrawn, match="has 1000 units of BTC available, 1001") as refused:
        post(work, "bill", lines, "Bill")
    assert refused.value.fields["available"] == 1000
    pay_in(work, 1, "more")
    assert post(work, "bill", lines, "Bill").number == 3
    assert check_books(work.sql).postings == 3


def test_an_account_on_both_sides_counts_by_what_is_left_in_the_end(work):
    lines = [Entry.debit(SESSION, msat(5)), Entry.credit(SESSION, msat(7)), Entry.debit("rail:a", msat(-2 + 4 - 4))]
    with pytest.raises(Unbalanced):
        post(work, "k", lines, "")
    post(work, "k", [*lines[:2], Entry.debit("rail:a", msat(2))], "")
    assert balance(work.sql, SESSION) == msat(2)


@pytest.mark.parametrize("units", [1 << 62, -(1 << 62), 1 << 80])
def test_amounts_beyond_what_the_database_can_hold_are_refused(work, units):
    with pytest.raises(AmountImpossible):
        post(work, "k", [Entry("rail:a", msat(units)), Entry("revenue", msat(-units))], "")


def test_a_balance_beyond_what_the_database_can_hold_is_refused(work):
    most = (1 << 62) - 1
    post(work, "k", [Entry.debit("rail:a", msat(most)), Entry.credit("revenue", msat(most))], "")
    with pytest.raises(AmountImpossible):
        post(work, "k2", [Entry.debit("rail:a", msat(1)), Entry.credit("revenue", msat(1))], "")
    with pytest.raises(AmountImpossible):
        hold(work, "h", "rail:a", "revenue", msat(1 << 62), "")


def test_a_hold_keeps_money_from_others_until_it_is_captured(work):
    pay_in(work)
    kept = hold(work, "h", SESSION, "rail:sandbox", msat(600), "Change", "r")
    assert hold(work, "h", SESSION, "rail:sandbox", msat(600), "Change", "r") == kept
    assert (balance(work.sql, SESSION), available(work.sql, SESSION)) == (msat(1000), msat(400))
    with pytest.raises(Overdrawn):
        hold(work, "h2", SESSION, "rail:sandbox", msat(401), "Change")
    with pytest.raises(Overdrawn):
        post(work, "b", [Entry.debit(SESSION, msat(401)), Entry.credit("revenue", msat(401))], "Bill")
    posting = capture(work, "c", kept.id, msat(500))
    assert posting.entries == (Entry(SESSION, msat(500)), Entry("rail:sandbox", msat(-500)))
    assert (posting.hold_id, posting.memo, posting.reference) == (kept.id, "Change", "r")
    assert capture(work, "c", kept.id, msat(500)) == posting
    assert available(work.sql, SESSION) == balance(work.sql, SESSION) == msat(500)
    assert check_books(work.sql).postings == 2
    again = hold(work, "h", SESSION, "rail:sandbox", msat(600), "Change", "r")
    assert (again.state, again.captured) == (HoldState.CAPTURED, msat(500))


def test_a_released_hold_leaves_everything_where_it_was(work):
    pay_in(work)
    kept = hold(work, "h", SESSION, "owed", msat(1000), "Change")
    assert available(work.sql, SESSION) == msat(0)
    ended = release(work, "r", kept.id)
    assert ended.state is HoldState.RELEASED
    assert release(work, "r", kept.id) == ended
    assert available(work.sql, SESSION) == msat(1000)
    for ending in (lambda: release(work, "r2", kept.id), lambda: capture(work, "c", kept.id)):
        with pytest.raises(HoldEnded) as refused:
            ending()
        assert refused.value.fields["state"] == "released"
    check_books(work.sql)


@pytest.mark.parametrize("amount", [msat(0), msat(-1), msat(1001), Amount(EUR, 5)])
def test_a_capture_is_a_part_of_its_hold(work, amount):
    pay_in(work)
    kept = hold(work, "h", SESSION, "owed", msat(1000), "Change")
    with pytest.raises(AmountImpossible):
        capture(work, "c", kept.id, amount)
    assert capture(work, "c", kept.id).entries[0].amount == msat(1000)


@pytest.mark.parametrize("units", [0, -1])
def test_a_hold_of_nothing_is_refused(work, units):
    pay_in(work)
    with pytest.raises(AmountImpossible):
        hold(work, "h", SESSION, "owed", msat(units), "")


def test_a_hold_that_never_was_is_missing(work):
    for ending in (capture, release):
        with pytest.raises(HoldMissing):
            ending(work, "k", "nowhere")


def test_a_hold_from_an_account_that_we_own_empties_it(work):
    pay_in(work)
    kept = hold(work, "h", "rail:sandbox", "rail:lnd", msat(10), "Move")
    capture(work, "c", kept.id)
    assert (balance(work.sql, "rail:sandbox"), balance(work.sql, "rail:lnd")) == (msat(990), msat(10))


def test_balances_of_past_instants(database, clock, ids):
    with database.engine.connect() as connection, connection.begin():
        times = []
        for count in range(3):
            times.append(clock.now())
            pay_in(Work(connection, clock.now(), ids), 10, f"in{count}")
            clock.step(seconds=60)
        told = [balance(connection, SESSION, at.plus(ms=ms)).units for at in times for ms in (-1, 0, 1)]
        assert told == [0, 10, 10, 10, 20, 20, 20, 30, 30]
        assert balance(connection, "session:other", times[0]) == msat(0)
        trial = trial_balance(connection, times[1])
        assert [(line.account, line.debit.units, line.credit.units) for line in trial] == [
            ("rail", 20, 0),
            ("session", 0, 20),
        ]


def test_the_trial_balance_adds_up_by_kind_and_asset(work):
    pay_in(work, 10, "a", "session:a")
    pay_in(work, 5, "b", "session:b")
    post(work, "e", [Entry.debit("energy:CP-1", Amount(ENERGY, 7)), Entry.credit("grid", Amount(ENERGY, 7))], "")
    lines = [
        (line.account, line.debit.asset.code, line.debit.units, line.credit.units) for line in trial_balance(work.sql)
    ]
    assert lines == [("rail", "BTC", 15, 0), ("session", "BTC", 0, 15), ("energy", "WH", 7, 0), ("grid", "WH", 0, 7)]


def test_the_journal_pages_back_from_the_newest_and_exports_from_the_oldest(work):
    for count in range(7):
        pay_in(work, 10, f"in{count}", f"session:{count}")
    seen, cursor = [], None
    while True:
        page = journal(work.sql, None, cursor, 3)
        seen += [posting.number for posting in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == [7, 6, 5, 4, 3, 2, 1]
    assert [posting.number for posting in export_journal(work.sql)] == [1, 2, 3, 4, 5, 6, 7]


def test_the_journal_is_filtered(work):
    pay_in(work, 10, "a", "session:a_b")
    pay_in(work, 10, "b", "session:axb")
    post(work, "c", [Entry.debit("energy:1", Amount(ENERGY, 7)), Entry.credit("grid", Amount(ENERGY, 7))], "50 % off")

    def found(**filters) -> list[int]:
        return [posting.number for posting in journal(work.sql, JournalFilter(**filters)).items]

    assert found(account="session") == [2, 1]
    assert found(account="session:axb") == [2]
    assert found(account="sess") == []
    assert found(asset="WH") == [3]
    assert found(account="session", asset="WH") == []
    assert found(text="DRIVER") == [2, 1]
    assert found(text="a_b") == [1]
    assert found(text="%") == [3]
    assert found(reference="session:axb") == [2]
    assert found(since=work.now) == [3, 2, 1]
    assert found(until=work.now) == []


def test_accounts_are_listed_by_name(work):
    pay_in(work)
    hold(work, "h", SESSION, "owed", msat(300), "")
    states = list_accounts(work.sql)
    assert [(state.name, state.balance.units, state.available.units) for state in states] == [
        ("rail:sandbox", 1000, 1000),
        (SESSION, 1000, 700),
    ]
    assert [state.name for state in list_accounts(work.sql, after=("rail:sandbox", "BTC"))] == [SESSION]
    assert [state.name for state in list_accounts(work.sql, "rail")] == ["rail:sandbox"]


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        ("update books_entry set units = units + 1 where line = 0", "Posting 1 is off by 1"),
        ("update books_account set balance_units = 7 where kind = 'rail'", "rail:sandbox is kept at 7"),
        ("update books_account set held_units = 7 where kind = 'session'", "holds 7 units of BTC, its holds come to 0"),
        ("delete from books_entry", "has no entries"),
    ],
)
def test_the_audit_finds_what_was_tampered_with(work, damage, says):
    pay_in(work)
    work.sql.execute(text(damage))
    with pytest.raises(BooksBroken, match=says) as broken:
        check_books(work.sql)
    assert "restore the last backup" in broken.value.detail


def test_the_audit_finds_an_account_overdrawn_against_its_kind(work):
    pay_in(work)
    work.sql.execute(text("update books_entry set units = -units"))
    work.sql.execute(text("update books_account set balance_units = -balance_units"))
    with pytest.raises(BooksBroken, match="is overdrawn"):
        check_books(work.sql)

"""Whatever is done in whatever order, the books agree with a plain dictionary, and every asset sums to zero."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from commonwatt.books import KINDS, Entry, HoldState, available, balance, capture, check_books, hold, post, release
from commonwatt.books.errors import AmountImpossible, HoldEnded, KeyReused, Overdrawn
from commonwatt.kernel import BTC, EUR, Amount, Instant, SeededIds
from commonwatt.kit.database import Work, create_tables, open_engine

NAMES = ("rail:a", "session:1", "session:2", "owed", "revenue", "rounding", "member:m")
names = st.sampled_from(NAMES)
assets = st.sampled_from((BTC, EUR))
units = st.integers(min_value=1, max_value=100)


def way(name: str) -> int:
    return KINDS[name.partition(":")[0]].side


def may_overdraw(name: str) -> bool:
    return KINDS[name.partition(":")[0]].overdraft


class Books(RuleBasedStateMachine):
    @initialize()
    def open(self):
        self.engine = open_engine(None)
        create_tables(self.engine)
        self.connection = self.engine.connect()
        self.transaction = self.connection.begin()
        self.ids = SeededIds()
        self.now = Instant(1_000_000)
        self.balances: dict[tuple[str, str], int] = {}
        self.held: dict[tuple[str, str], int] = {}
        self.holds: list[dict] = []
        self.done: list[tuple] = []
        self.past: list[tuple[Instant, dict]] = []
        self.count = 0

    def teardown(self):
        if hasattr(self, "connection"):
            self.transaction.rollback()
            self.connection.close()
            self.engine.dispose()

    def work(self) -> Work:
        return Work(self.connection, self.now, self.ids)

    def key(self) -> str:
        self.count += 1
        return f"key{self.count}"

    def free(self, name: str, code: str) -> int:
        return self.balances.get((name, code), 0) * way(name) - self.held.get((name, code), 0)

    def expect(self, refusal, call, *args):
        """Do it; where it must be refused, see that it is, else remember it for repeats."""
        key = self.key()
        if refusal is not None:
            with pytest.raises(refusal):
                call(self.work(), key, *args)
            return None
        answer = call(self.work(), key, *args)
        self.done.append((call, key, args, answer))
        return answer

    @rule(moves=st.lists(st.tuples(names, names, units, assets), min_size=1, max_size=4))
    def post_something(self, moves):
        changes: dict[tuple[str, str], int] = {}
        lines = []
        for debit, credit, amount, asset in moves:
            lines += [Entry.debit(debit, Amount(asset, amount)), Entry.credit(credit, Amount(asset, amount))]
            changes[debit, asset.code] = changes.get((debit, asset.code), 0) + amount
            changes[credit, asset.code] = changes.get((credit, asset.code), 0) - amount
        short = any(
            not may_overdraw(name) and change * way(name) < 0 and self.free(name, code) + change * way(name) < 0
            for (name, code), change in changes.items()
        )
        if self.expect(Overdrawn if short else None, post, lines, "memo", "ref"):
            for pair, change in changes.items():
                self.balances[pair] = self.balances.get(pair, 0) + change

    @rule(source=names, receiver=names, amount=units, asset=assets)
    def hold_something(self, source, receiver, amount, asset):
        short = not may_overdraw(source) and self.free(source, asset.code) < amount
        made = self.expect(Overdrawn if short else None, hold, source, receiver, Amount(asset, amount), "memo")
        if made:
            pair = (source, asset.code)
            self.held[pair] = self.held.get(pair, 0) + amount
            self.holds.append(
                {"id": made.id, "pair": pair, "target": receiver, "amount": amount, "asset": asset, "open": True}
            )

    @precondition(lambda self: getattr(self, "holds", None))
    @rule(data=st.data(), part=st.integers(min_value=0, max_value=110))
    def capture_something(self, data, part):
        one = data.draw(st.sampled_from(self.holds))
        source, code = one["pair"]
        target, to_source = one["target"], -part * way(source)
        refusal = None
        if not one["open"]:
            refusal = HoldEnded
        elif not 0 < part <= one["amount"]:
            refusal = AmountImpossible
        elif target != source and not may_overdraw(target) and -to_source * way(target) < 0:
            refusal = Overdrawn if self.free(target, code) < part else None
        if self.expect(refusal, capture, one["id"], Amount(one["asset"], part)):
            one["open"] = False
            self.held[source, code] -= one["amount"]
            self.balances[source, code] = self.balances.get((source, code), 0) + to_source
            self.balances[target, code] = self.balances.get((target, code), 0) - to_source

    @precondition(lambda self: getattr(self, "holds", None))
    @rule(data=st.data())
    def release_something(self, data):
        one = data.draw(st.sampled_from(self.holds))
        if self.expect(None if one["open"] else HoldEnded, release, one["id"]):
            one["open"] = False
            self.held[one["pair"]] -= one["amount"]

    @precondition(lambda self: getattr(self, "done", None))
    @rule(data=st.data())
    def repeat_something(self, data):
        call, key, args, answer = data.draw(st.sampled_from(self.done))
        again = call(self.work(), key, *args)
        if call is hold:
            assert again.id == answer.id
            assert (again.state is HoldState.HELD) == next(one["open"] for one in self.holds if one["id"] == again.id)
        else:
            assert again == answer

    @precondition(lambda self: getattr(self, "done", None))
    @rule(data=st.data(), amount=units)
    def reuse_a_key(self, data, amount):
        key = data.draw(st.sampled_from(self.done))[1]
        lines = [Entry.debit("rail:a", Amount(BTC, amount)), Entry.credit("revenue", Amount(BTC, amount))]
        with pytest.raises(KeyReused):
            post(self.work(), key, lines, "another memo")

    @rule(ms=st.integers(min_value=1, max_value=5000))
    def let_time_pass(self, ms):
        self.past.append((self.now, dict(self.balances)))
        self.now = self.now.plus(ms=ms)

    @invariant()
    def the_books_agree(self):
        if not hasattr(self, "connection"):
            return
        for name in NAMES:
            for asset in (BTC, EUR):
                units = self.balances.get((name, asset.code), 0)
                assert balance(self.connection, name, asset=asset).units == units * way(name)
                assert available(self.connection, name, asset=asset).units == self.free(name, asset.code)
        check_books(self.connection)

    @invariant()
    def the_past_stays(self):
        for at, balances in getattr(self, "past", [])[-3:]:
            for (name, code), units in balances.items():
                asset = BTC if code == "BTC" else EUR
                assert balance(self.connection, name, at, asset=asset).units == units * way(name)


Books.TestCase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
TestBooks = Books.TestCase

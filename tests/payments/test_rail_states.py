"""Rails are asked at once: a silent one delays an answer by the limit and no more, and hides no other."""

import asyncio
from time import perf_counter

import pytest

from commonwatt.adapters.payment.sandbox import SandboxRail
from commonwatt.kernel import Done, Failed, Unknown
from commonwatt.payments import asking
from commonwatt.payments.ports import RailBalance

LIMIT_S = 0.05


class Node:
    """A rail that answers with an outcome, or never."""

    def __init__(self, name, outcome=None):
        self.name = name
        self.capabilities = SandboxRail.capabilities
        self.outcome = outcome

    async def balance(self):
        return self.outcome or await asyncio.Event().wait()


@pytest.fixture(autouse=True)
def short_limit(monkeypatch):
    monkeypatch.setattr(asking, "BALANCE_S", LIMIT_S)


async def test_what_a_rail_says_is_its_balance_or_its_problem():
    rails = [Node("good", Done(RailBalance(7, 9))), Node("broken", Failed("locked")), Node("lost", Unknown("refused"))]
    states = await asking.rail_states(rails)
    assert [(one.name, one.balance, one.problem) for one in states] == [
        ("good", RailBalance(7, 9), None),
        ("broken", None, "locked"),
        ("lost", None, "refused"),
    ]


async def test_silent_rails_delay_by_the_limit_together():
    silent = [Node(f"silent {number}") for number in range(20)]
    begun = perf_counter()
    states = await asking.rail_states([*silent, Node("good", Done(RailBalance(7, 9)))])
    assert perf_counter() - begun < LIMIT_S * len(silent) / 2
    assert [one.problem for one in states] == ["no answer in time"] * len(silent) + [None]

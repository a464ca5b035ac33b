"""Turn-taking: one outstanding call, late and unasked answers change nothing."""

import pytest

from commonwatt.protocols.ocppj import Answered, Call, CallError, CallResult, Exchange, Ignored, Malformed


def test_an_answer_meets_its_call():
    exchange = Exchange()
    assert exchange.ask("1", "Reset", {"type": "Soft"}) == '[2,"1","Reset",{"type":"Soft"}]'
    answered = exchange.receive('[3,"1",{"status":"Accepted"}]')
    assert answered == Answered(Call("1", "Reset", {"type": "Soft"}), CallResult("1", {"status": "Accepted"}))
    assert exchange.outstanding is None


def test_a_callerror_is_an_answer_too():
    exchange = Exchange()
    exchange.ask("1", "Reset", {})
    answered = exchange.receive('[4,"1","NotSupported","no","x"]')
    assert isinstance(answered, Answered)
    assert answered.answer == CallError("1", "NotSupported", "no", {})


def test_a_second_call_waits():
    exchange = Exchange()
    exchange.ask("1", "Reset", {})
    with pytest.raises(RuntimeError, match="outstanding"):
        exchange.ask("2", "Reset", {})


def test_a_late_answer_is_told_from_one_that_nobody_asked_for():
    exchange = Exchange()
    exchange.ask("1", "Reset", {})
    exchange.expire()
    late = exchange.receive('[3,"1",{}]')
    unasked = exchange.receive('[3,"never",{}]')
    assert isinstance(late, Ignored)
    assert late.reason.startswith("a late answer")
    assert isinstance(unasked, Ignored)
    assert unasked != late


def test_an_answer_with_another_id_leaves_the_call_outstanding():
    exchange = Exchange()
    exchange.ask("1", "Reset", {})
    assert isinstance(exchange.receive('[3,"2",{}]'), Ignored)
    assert exchange.outstanding is not None


def test_the_stations_calls_pass_while_ours_is_outstanding():
    exchange = Exchange()
    exchange.ask("1", "Reset", {})
    assert exchange.receive('[2,"a","Heartbeat",{}]') == Call("a", "Heartbeat", {})
    assert isinstance(exchange.receive("[]"), Malformed)
    assert exchange.outstanding is not None

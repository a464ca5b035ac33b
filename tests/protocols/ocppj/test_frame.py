"""Frames: what is right is read, what is wrong is said, and nothing ever raises."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonwatt.protocols.ocppj import (
    FRAME_MAX,
    Call,
    CallError,
    CallResult,
    ErrorCode,
    Malformed,
    compose_call,
    compose_error,
    compose_result,
    parse,
)

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def test_the_three_kinds_are_read():
    assert parse('[2,"19","Heartbeat",{}]') == Call("19", "Heartbeat", {})
    assert parse('[3,"19",{"a":1}]') == CallResult("19", {"a": 1})
    assert parse('[3,"19",null]') == parse('[3,"19"]') == CallResult("19", {})
    assert parse('[4,"19","GenericError","why",{"x":1}]') == CallError("19", "GenericError", "why", {"x": 1})


def test_an_error_without_its_last_parts_is_still_an_error():
    assert parse('[4,"19","GenericError"]') == CallError("19", "GenericError", "", {})
    assert parse('[4,"19","GenericError",null,null]') == CallError("19", "GenericError", "", {})


@pytest.mark.parametrize(
    ("text", "message_id", "code"),
    [
        ('[2,12345,"Heartbeat",{}]', 12345, ErrorCode.PROTOCOL_ERROR),
        ('[2,"a","Heartbeat"]', "a", ErrorCode.PROTOCOL_ERROR),
        ('[2,"a","Heartbeat",{},1]', "a", ErrorCode.PROTOCOL_ERROR),
        ('[2,"a","Heartbeat","NotAnObject"]', "a", ErrorCode.PROTOCOL_ERROR),
        ('[2,"a",7,{}]', "a", ErrorCode.PROTOCOL_ERROR),
        ('[2,"a","Heartbeat",' + '{"a":' * 40 + "{}" + "}" * 41, None, ErrorCode.PROTOCOL_ERROR),
        ('[2,"a","Heartbeat",' + '{"a":' * 40 + "{}" + "}" * 40 + "]", "a", ErrorCode.FORMATION_VIOLATION),
    ],
)
def test_a_broken_call_can_be_answered_when_its_id_is_known(text, message_id, code):
    frame = parse(text)
    assert isinstance(frame, Malformed)
    assert (frame.id, frame.code) == (message_id, code)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "}{not json at all!!",
        "[]",
        "{}",
        "null",
        "[99,1]",
        '[true,"a","Heartbeat",{}]',
        "[2]",
        '[2,"","Heartbeat",{}]',
        '[2,null,"Heartbeat",{}]',
        '[2,"' + "a" * 256 + '","Heartbeat",{}]',
        "[3]",
        '[3,"a",{},{}]',
        "[3,7,{}]",
        '[3,"a",[]]',
        '[4,"a"]',
        "[" * 100_000,
        '[2,"a\ud800","Heartbeat",{}]',
        "x" * (FRAME_MAX + 1),
    ],
)
def test_what_cannot_be_answered_is_dropped(text):
    frame = parse(text)
    assert isinstance(frame, Malformed)
    assert frame.id is None


@given(st.text() | ANYTHING.map(json.dumps) | st.lists(ANYTHING, max_size=6).map(lambda rest: json.dumps([2, *rest])))
def test_no_text_raises(text):
    frame = parse(text)
    assert isinstance(frame, Call | CallResult | CallError | Malformed)


@given(st.sampled_from([3, 4]), st.lists(ANYTHING, max_size=5))
def test_an_answer_is_never_answered(kind, rest):
    frame = parse(json.dumps([kind, *rest]))
    assert not isinstance(frame, Call)
    assert not (isinstance(frame, Malformed) and frame.id is not None)


IDS = st.text(min_size=1, max_size=36).filter(str.isprintable)


@given(IDS, st.text().filter(str.isprintable), st.dictionaries(st.text().filter(str.isprintable), st.integers(0, 9)))
def test_what_is_composed_is_read_again(message_id, action, payload):
    assert parse(compose_call(message_id, action, payload)) == Call(message_id, action, payload)
    assert parse(compose_result(message_id, payload)) == CallResult(message_id, payload)
    error = parse(compose_error(message_id, ErrorCode.NOT_SUPPORTED, action, payload))
    assert error == CallError(message_id, "NotSupported", action[:255], payload)

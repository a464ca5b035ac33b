"""One connection: order, back-pressure, our own calls, and what hostile stations do."""

import asyncio
import json

import pytest

from commonwatt import stations
from commonwatt.adapters.station import link as link_module
from commonwatt.adapters.station.ocpp16.incoming import start_transaction as start_module
from commonwatt.kernel import Done, Failed, Unknown

from .world import Pipe

AT = "2026-05-01T12:00:00Z"
RESET = {"type": "Soft"}


async def answered(station, reply):
    """Take our call and answer it with a frame's rest."""
    kind, message_id, action, payload = await station.hear()
    assert kind == 2
    station.say([reply[0], message_id, *reply[1:]])
    return action, payload


async def test_an_accepted_command(site, station):
    asked = asyncio.create_task(site.hub.remote_start("CP-1", 1, "once"))
    assert await answered(station, [3, {"status": "Accepted"}]) == (
        "RemoteStartTransaction",
        {"connectorId": 1, "idTag": "once"},
    )
    assert await asked == Done(True)


async def test_a_declined_command(site, station):
    asked = asyncio.create_task(site.hub.remote_stop("CP-1", 7))
    await answered(station, [3, {"status": "Rejected"}])
    assert await asked == Done(False)


async def test_a_callerror_is_no_answer_and_no_crash(site, station):
    asked = asyncio.create_task(site.hub.send("CP-1", "Reset", RESET))
    await answered(station, [4, "NotSupported", "not here", {}])
    assert await asked == Failed("NotSupported: not here", "callerror")


async def test_an_answer_that_means_nothing_is_an_error_of_the_station(site, station):
    asked = asyncio.create_task(site.hub.send("CP-1", "Reset", RESET))
    await answered(station, [3, {"status": "Perhaps"}])
    outcome = await asked
    assert isinstance(outcome, stations.AnswerInvalid)
    assert (outcome.code, outcome.reason.split(":")[0]) == ("answer-invalid", "PropertyConstraintViolation")
    assert outcome.payload == {"status": "Perhaps"}


async def test_an_answer_that_means_nothing_leaves_a_remote_start_unknown(site, station):
    asked = asyncio.create_task(site.hub.remote_start("CP-1", 1, "once"))
    await answered(station, [3, {"status": "OK"}])
    assert isinstance(await asked, Unknown)


@pytest.mark.parametrize("rest", [[], [None], [{}]])
async def test_an_answer_without_a_payload_is_an_empty_one_where_that_is_an_answer(site, station, rest):
    asked = asyncio.create_task(site.hub.send("CP-1", "GetConfiguration", {}))
    await answered(station, [3, *rest])
    assert await asked == Done({})
    asked = asyncio.create_task(site.hub.send("CP-1", "ClearCache", {}))
    await answered(station, [3, *rest])
    assert isinstance(await asked, stations.AnswerInvalid)


async def test_a_configuration_with_readonly_as_text_or_without_it_is_read(site, station):
    asked = asyncio.create_task(site.hub.send("CP-1", "GetConfiguration", {}))
    told = [
        {"key": "A", "readonly": "True", "value": "1"}, {"key": "B", "readonly": " false "}, {"key": "C", "value": 5},
        {"key": "D", "readonly": None},
    ]  # fmt: skip
    await answered(station, [3, {"configurationKey": told}])
    assert isinstance(await asked, Done)
    kept = await site.database.read(stations.list_configuration, "CP-1")
    assert [(row.key, row.readonly) for row in kept] == [("A", True), ("B", False), ("C", False), ("D", False)]
    assert {"text-not-boolean", "missing-field"} <= set(await site.quirks())


@pytest.mark.parametrize("key", ["AuthorizationKey", "authorizationkey"])
async def test_a_password_is_never_kept_with_the_configuration(site, station, key):
    asked = asyncio.create_task(site.hub.send("CP-1", "ChangeConfiguration", {"key": key, "value": "hunter2-hunter2"}))
    await answered(station, [3, {"status": "Accepted"}])
    await asked
    [setting] = await site.database.read(stations.list_configuration, "CP-1")
    assert setting.value == "•••"
    asked = asyncio.create_task(site.hub.send("CP-1", "GetConfiguration", {}))
    await answered(station, [3, {"configurationKey": [{"key": key, "readonly": False, "value": "hunter2-hunter2"}]}])
    await asked
    [setting] = await site.database.read(stations.list_configuration, "CP-1")
    assert setting.value == "•••"


async def test_an_answer_slightly_wrong_is_understood_and_flagged(site, station):
    asked = asyncio.create_task(site.hub.send("CP-1", "Reset", RESET))
    await answered(station, [3, {"status": "accepted", "vendor": 1}])
    assert await asked == Done({"status": "Accepted"})
    assert set(await site.quirks()) == {"odd-status", "extra-field"}


@pytest.mark.parametrize(
    ("action", "payload"), [("Reset", {"type": "Gently"}), ("Reset", {}), ("Heartbeat", {}), ("Nonsense", {})]
)
async def test_a_wrong_command_is_never_sent(site, station, action, payload):
    outcome = await site.hub.send("CP-1", action, payload)
    assert isinstance(outcome, Failed)
    assert outcome.code == "invalid"
    assert station.heard_nothing()


async def test_commands_wait_for_each_other(site, station):
    asked = [asyncio.create_task(site.hub.send("CP-1", "ClearCache", {})) for _ in range(3)]
    for _ in asked:
        call = await station.hear()
        assert station.heard_nothing()
        station.say([3, call[1], {"status": "Accepted"}])
    assert await asyncio.gather(*asked) == [Done({"status": "Accepted"})] * 3


async def test_too_many_commands_are_refused(site, station, monkeypatch):
    monkeypatch.setattr(link_module, "ASKING_MAX", 1)
    first = asyncio.create_task(site.hub.send("CP-1", "ClearCache", {}))
    call = await station.hear()
    second = await site.hub.send("CP-1", "ClearCache", {})
    assert isinstance(second, Failed)
    assert second.code == "busy"
    station.say([3, call[1], {"status": "Accepted"}])
    assert await first == Done({"status": "Accepted"})


async def test_no_answer_is_unknown_and_a_late_one_is_ignored(site, station):
    site.hub.link_of("CP-1").timeout_s = 0.01
    assert isinstance(await site.hub.send("CP-1", "ClearCache", {}), Unknown)
    late = await station.hear()
    station.say([3, late[1], {"status": "Accepted"}])
    asked = asyncio.create_task(site.hub.send("CP-1", "ClearCache", {}))
    fresh = await station.hear()
    assert fresh[1] != late[1]
    station.say([3, fresh[1], {"status": "Rejected"}])
    assert await asked == Done({"status": "Rejected"})
    assert [row.kind for row in await site.frames(direction="in")] == ["result", "broken"]


async def test_a_connection_that_ends_leaves_the_command_unknown(site, station):
    asked = asyncio.create_task(site.hub.send("CP-1", "ClearCache", {}))
    waiting = asyncio.create_task(site.hub.send("CP-1", "ClearCache", {}))
    await station.hear()
    station.hang_up()
    assert isinstance(await asked, Unknown)
    never_sent = await waiting
    assert isinstance(never_sent, Failed)
    assert never_sent.code == "offline"
    assert await site.hub.send("CP-1", "ClearCache", {}) == await site.hub.send("NOBODY", "ClearCache", {})


async def test_the_answer_to_our_call_passes_a_slow_call_of_the_station(site, station, monkeypatch):
    """A handler that waits must not keep the answers to our own calls from being read."""
    monkeypatch.setattr(start_module, "SLOW_START_S", 3600)
    site.hub.link_of("CP-1").caller.waivers = frozenset({"slow-start"})
    station.say([2, "s", "StartTransaction", {"connectorId": 1, "idTag": "A", "meterStart": 0, "timestamp": AT}])
    asked = asyncio.create_task(site.hub.send("CP-1", "ClearCache", {}))
    await answered(station, [3, {"status": "Accepted"}])
    assert await asked == Done({"status": "Accepted"})
    assert station.heard_nothing()
    await site.give_up(0)


async def test_answers_keep_the_order_of_the_calls(site, station):
    for n in range(20):
        station.say([2, str(n), "Authorize" if n % 3 else "Heartbeat", {"idTag": "A"} if n % 3 else {}])
    assert [(await station.hear())[1] for _ in range(20)] == [str(n) for n in range(20)]


async def test_a_flood_is_slowed_by_not_reading(site, charging, monkeypatch):
    monkeypatch.setattr(link_module, "WAITING_MAX", 4)
    monkeypatch.setattr(start_module, "SLOW_START_S", 3600)
    pipe = await site.attach(waivers=frozenset({"slow-start"}))
    start = {"connectorId": 1, "idTag": "A", "meterStart": 0, "timestamp": AT}
    for n in range(50):
        pipe.say([2, str(n), "StartTransaction", start])
    for _ in range(100):
        await asyncio.sleep(0)
    assert charging.count("start") == 1
    assert 40 <= pipe.unread() <= 46
    other = await site.attach("CP-2")
    assert (await other.ask("Authorize", {"idTag": "B"}))[0] == 3
    await site.give_up(0)


async def test_what_was_read_is_answered_even_if_the_station_is_gone(site, station, charging):
    station.say([2, "a", "Authorize", {"idTag": "A"}])
    station.hang_up()
    await asyncio.gather(*site.tasks)
    assert charging.count("authorise") == 1


@pytest.mark.parametrize(
    "text",
    ["", "}{", "[]", "[2]", '[99,"x"]', '[3,"never",{}]', '[4,"never","GenericError","",{}]', "[" * 5000, "[3]"],
)
async def test_what_cannot_be_answered_is_kept_and_changes_nothing(site, station, text):
    station.say(text)
    assert (await station.ask("Heartbeat", {}, "after"))[:2] == [3, "after"]
    assert station.heard_nothing()
    frames = await site.frames(direction="in")
    kept = text if len(text) <= 2048 else f"{text[:2048]}… ({len(text)} characters)"
    assert (frames[-1].kind, frames[-1].text) == ("broken", kept)


@pytest.mark.parametrize(
    ("frame", "message_id"),
    [([2, 12345, "Heartbeat", {}], 12345), ([2, "x", "Heartbeat"], "x"), ([2, "x", "H", "y"], "x")],
)
async def test_a_broken_call_is_answered_by_its_id(site, station, frame, message_id):
    station.say(json.dumps(frame))
    assert (await station.hear())[:3] == [4, message_id, "ProtocolError"]
    assert "unreadable-frame" in await site.quirks()


async def test_long_message_ids_are_accepted_and_flagged(site, station):
    assert (await station.ask("Authorize", {"idTag": "A"}, "m" * 60))[:2] == [3, "m" * 60]
    assert "long-message-id" in await site.quirks()


async def test_every_frame_is_kept(site, station):
    await station.ask("Heartbeat", {}, "1")
    await station.ask("BootNotification", {"chargePointVendor": "A", "chargePointModel": "B"}, "2")
    await station.ask("Nonsense", {}, "3")
    kept = [(row.direction, row.kind, row.action, row.message_id) for row in await site.frames()]
    assert sorted(kept) == sorted([
        ("in", "call", "Heartbeat", "1"), ("out", "result", "Heartbeat", "1"),
        ("in", "call", "BootNotification", "2"), ("out", "result", "BootNotification", "2"),
        ("in", "call", "Nonsense", "3"), ("out", "error", "Nonsense", "3"),
    ])  # fmt: skip


async def test_configuration_is_remembered(site, station):
    asked = asyncio.create_task(site.hub.send("CP-1", "GetConfiguration", {}))
    await answered(station, [3, {"configurationKey": [{"key": "A", "readonly": False, "value": "1"}]}])
    await asked
    asked = asyncio.create_task(site.hub.send("CP-1", "ChangeConfiguration", {"key": "A", "value": "2"}))
    await answered(station, [3, {"status": "Accepted"}])
    await asked
    asked = asyncio.create_task(site.hub.send("CP-1", "ChangeConfiguration", {"key": "A", "value": "3"}))
    await answered(station, [3, {"status": "Rejected"}])
    await asked
    [setting] = await site.database.read(stations.list_configuration, "CP-1")
    assert setting.value == "2"


async def test_a_pipe_that_is_dead_is_found_by_its_ping(site):
    pipe = await site.attach(pipe=Pipe(alive=False))
    assert not await site.hub.link_of("CP-1").ping()
    assert pipe.pings == 1


async def test_a_command_hears_soon_what_a_mute_station_has_not_answered(site, station):
    rhythm = {"key": "MeterValueSampleInterval", "value": "30"}
    own = asyncio.create_task(site.hub.send("CP-1", "ChangeConfiguration", rhythm))
    _, first, *_ = await station.hear()
    told = await site.hub.send("CP-1", "ClearCache", {}, patience_s=0.05)
    assert (type(told), told.code) == (Failed, "busy")
    assert "has not answered ChangeConfiguration yet" in told.reason
    assert station.heard_nothing(), "one call at a time"
    station.say([3, first, {"status": "Accepted"}])
    assert isinstance(await own, Done)
    later = asyncio.create_task(site.hub.send("CP-1", "ClearCache", {}, patience_s=0.05))
    _, second, action, _ = await station.hear()
    assert action == "ClearCache"
    station.say([3, second, {"status": "Accepted"}])
    assert isinstance(await later, Done)

"""The station against a strict double of a server: every frame that it sends fits the published schemas."""

from __future__ import annotations

import asyncio

import pytest

from commonwatt.adapters.station.virtual import Car, LinkLost, Status

CAR = Car(battery_wh=50_000, stored_wh=0, power_w_max=11_000, knee=1.0)


def online(station):
    return station.online


async def test_a_charge_by_rfid_from_plug_to_unplug(csms, station_of):
    station = station_of()
    await station.start()
    await station.until(online)
    await station.plug(1, CAR)
    assert await station.scan(1, "TAG") == "Accepted"
    await station.until(lambda station: station.connector().transaction.transaction_id == 1)
    await asyncio.sleep(3600)
    await station.unplug()
    await station.until(lambda station: station.truths[0].settled)
    await csms.until(lambda csms: csms.statuses()[-1] == "Available")

    assert csms.statuses() == ["Available", "Preparing", "Charging", "Available"]
    (start,), (stop,) = csms.of("StartTransaction"), csms.of("StopTransaction")
    assert (start["connectorId"], start["idTag"], start["meterStart"]) == (1, "TAG", 0)
    assert (stop["transactionId"], stop["meterStop"], stop["reason"]) == (1, 11_000, "EVDisconnected")
    assert start["timestamp"] == "2026-05-01T12:00:00.000Z"
    assert stop["timestamp"] == "2026-05-01T13:00:00.000Z"
    samples = csms.of("MeterValues")
    assert len(samples) == 60
    assert {sample["transactionId"] for sample in samples} == {1}
    values = {value["measurand"]: value["value"] for value in samples[29]["meterValue"][0]["sampledValue"]}
    assert values == {
        "Energy.Active.Import.Register": "5500",
        "Power.Active.Import": "11000.0",
        "Current.Import": "15.94",
        "Voltage": "230.0",
        "SoC": "11",
    }
    truth = station.truths[0]
    assert (truth.energy_wh, truth.reason, truth.authorisation) == (11_000, "EVDisconnected", "Accepted")


async def test_boot_waits_until_it_is_accepted(csms, station_of):
    answers = csms.answers
    answers["BootNotification"] = {**answers["BootNotification"], "status": "Pending", "interval": 30}
    station = station_of()
    await station.start()
    await asyncio.sleep(65)
    assert [heard[1] for heard in csms.heard] == ["BootNotification"] * 3
    answers["BootNotification"] = {**answers["BootNotification"], "status": "Accepted", "interval": 100}
    await station.until(online, timeout_s=60)
    await asyncio.sleep(1000)
    assert 9 <= len(csms.of("Heartbeat")) <= 10


async def test_remote_start_and_stop(csms, station_of):
    station = station_of()
    started = []
    station.on_remote_start = lambda connector, id_tag: started.append((connector, id_tag))
    await station.start()
    await csms.until(lambda csms: csms.statuses() == ["Available"])
    assert await csms.call("RemoteStartTransaction", {"connectorId": 1, "idTag": "ONCE"}) == {"status": "Accepted"}
    await station.until(lambda _: started == [(1, "ONCE")])
    await station.plug(1, CAR)
    await station.until(lambda station: station.connector().transaction.transaction_id)
    assert await csms.call("RemoteStartTransaction", {"idTag": "OTHER"}) == {"status": "Rejected"}
    assert await csms.call("RemoteStopTransaction", {"transactionId": 7}) == {"status": "Rejected"}
    await asyncio.sleep(360)
    assert await csms.call("RemoteStopTransaction", {"transactionId": 1}) == {"status": "Accepted"}
    await station.until(lambda station: station.truths[0].settled)
    assert csms.of("StopTransaction")[0]["reason"] == "Remote"
    assert station.truths[0].energy_wh == 1_100
    assert station.connector().status is Status.FINISHING


async def test_accepted_but_never_plugged_is_preparing_then_available_and_no_transaction(csms, station_of):
    station = station_of("never-plugs-in")
    await station.start()
    await csms.until(lambda csms: csms.statuses() == ["Available"])
    await csms.call("RemoteStartTransaction", {"connectorId": 1, "idTag": "ONCE"})
    await station.plug(1, CAR)
    await asyncio.sleep(120)
    assert csms.statuses() == ["Available", "Preparing", "Available"]
    assert csms.of("StartTransaction") == []
    assert station.truths == []


async def test_a_tag_that_is_not_accepted_starts_nothing(csms, station_of):
    csms.answers["Authorize"] = {"idTagInfo": {"status": "Blocked"}}
    station = station_of()
    await station.start()
    await station.until(online)
    await station.plug(1, CAR)
    assert await station.scan(1, "TAG") == "Blocked"
    assert station.connector().status is Status.PREPARING


async def test_a_charge_that_the_server_does_not_want_ends_deauthorised(csms, station_of):
    csms.answers["StartTransaction"] = {"transactionId": 5, "idTagInfo": {"status": "Invalid"}}
    station = station_of()
    await station.start()
    await station.until(online)
    await station.plug(1, CAR)
    await station.scan(1, "TAG")
    await station.until(lambda station: station.truths and station.truths[0].settled)
    assert csms.of("StopTransaction")[0]["reason"] == "DeAuthorized"


async def test_transaction_messages_are_sent_again_with_new_ids_until_they_are_answered(csms, station_of):
    station = station_of(patience_s=5)
    await station.start()
    await station.until(online)
    csms.mute.add("StartTransaction")
    await station.plug(1, CAR)
    await station.scan(1, "TAG")
    await asyncio.sleep(60)
    assert len(csms.of("StartTransaction")) > 3
    csms.mute.clear()
    await station.until(lambda station: station.truths[0].start_answered, timeout_s=60)
    assert len({str(start) for start in csms.of("StartTransaction")}) == 1
    assert len({heard[0] for heard in csms.heard}) == len(csms.heard)


async def test_a_callerror_is_tried_again_and_given_up_after_the_configured_attempts(csms, station_of):
    station = station_of()
    await station.start()
    await station.until(online)
    csms.errors["StartTransaction"] = ["InternalError"] * 3
    await station.plug(1, CAR)
    await station.scan(1, "TAG")
    await station.until(lambda station: station.truths[0].refused, timeout_s=120)
    await station.unplug()
    await station.until(lambda station: station.owes == 0, timeout_s=120)
    assert len(csms.of("StartTransaction")) == 3
    assert csms.of("StopTransaction")[0]["transactionId"] == -1


async def test_an_answer_without_sense_is_treated_as_a_refusal(csms, station_of):
    csms.answers["StartTransaction"] = {"idTagInfo": {"status": "Accepted"}}
    station = station_of()
    await station.start()
    await station.until(online)
    await station.plug(1, CAR)
    await station.scan(1, "TAG")
    await station.until(lambda station: station.truths[0].refused, timeout_s=120)
    assert "transactionId" in station.truths[0].refused


async def test_the_queue_survives_a_server_that_is_down_and_arrives_in_order(csms, station_of):
    station = station_of()
    await station.start()
    await station.until(online)
    await station.scan(1, "TAG")
    csms.refuse = True
    await csms.cut()
    await station.until(lambda station: not station.online)
    await station.plug(1, CAR)
    await asyncio.sleep(600)
    await station.unplug()
    before = len(csms.heard)
    csms.refuse = False
    await station.until(lambda station: station.truths and station.truths[0].settled, timeout_s=100)
    actions = [heard[1] for heard in csms.heard[before:] if heard[1] != "StatusNotification"]
    assert actions == ["StartTransaction"] + ["MeterValues"] * 10 + ["StopTransaction"]
    assert {sample["transactionId"] for sample in csms.of("MeterValues")} == {1}
    assert "BootNotification" not in actions


async def test_offline_only_a_known_tag_may_start(csms, station_of):
    station = station_of()
    await station.start()
    await station.until(online)
    await station.plug(1, CAR)
    await station.scan(1, "KNOWN")
    await station.scan(1, "KNOWN")
    csms.refuse = True
    await csms.cut()
    await station.until(lambda station: not station.online)
    assert await station.scan(1, "STRANGER") == "Invalid"
    assert await station.scan(1, "KNOWN") == "Accepted"


async def test_it_forgets_nothing_over_a_restart(csms, station_of, tmp_path):
    state = tmp_path / "CP-1.json"
    station = station_of(state_file=state)
    await station.start()
    await station.until(online)
    await station.plug(1, CAR)
    await station.scan(1, "TAG")
    await station.until(lambda station: station.truths[0].start_answered)
    csms.mute.add("MeterValues")
    await asyncio.sleep(360)
    await station.stop()

    csms.mute.clear()
    again = station_of(state_file=state)
    assert again.connector().meter_wh == 1_100
    await again.start()
    await again.until(lambda station: station.truths[0].settled, timeout_s=60)
    stop = csms.of("StopTransaction")[0]
    assert (stop["reason"], stop["meterStop"], stop["transactionId"]) == ("PowerLoss", 1_100, 1)
    assert again.truths[0].energy_wh == 1_100


async def test_calling_without_a_connection_says_so(station_of):
    with pytest.raises(LinkLost, match="not connected"):
        await station_of().call("Heartbeat", {})


async def test_transaction_data_comes_with_the_stop_when_configured(csms, station_of):
    station = station_of()
    await station.start()
    await station.until(online)
    change = {"key": "StopTxnSampledData", "value": "Energy.Active.Import.Register"}
    assert await csms.call("ChangeConfiguration", change) == {"status": "Accepted"}
    await station.plug(1, CAR)
    await station.scan(1, "TAG")
    await asyncio.sleep(36)
    await station.unplug()
    await station.until(lambda station: station.truths[0].settled)
    (data,) = csms.of("StopTransaction")[0]["transactionData"]
    assert data["sampledValue"][0]["value"] == "110"
    assert data["sampledValue"][0]["context"] == "Transaction.End"

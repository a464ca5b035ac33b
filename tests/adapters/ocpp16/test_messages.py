"""Each message of the core profile, from the wire to charging and back, and its answer against the schema."""

import pytest

from commonwatt import stations
from commonwatt.adapters.station.ocpp16.check import validator
from commonwatt.charging.reports import Authorisation, Sample, StartReport, StatusReport, StopReport
from commonwatt.kernel import Instant, Unavailable

NOON = Instant.parse("2026-05-01T12:00:00Z")
AT = "2026-05-01T11:59:30Z"
START = {"connectorId": 1, "idTag": "A", "meterStart": 0, "timestamp": AT}


def status(connector, word):
    return {"connectorId": connector, "status": word, "errorCode": "NoError"}


def fine(action, answer):
    kind, _, payload = answer
    assert kind == 3, answer
    assert validator(f"{action}Response").is_valid(payload), payload
    return payload


async def test_heartbeat_tells_the_time_without_the_database(site, station):
    before = site.database.calls
    answer = fine("Heartbeat", await station.ask("Heartbeat", {}))
    assert answer == {"currentTime": "2026-05-01T12:00:00.000Z"}
    assert site.database.calls == before


async def test_boot_is_stored_and_told(site, station, charging):
    payload = {"chargePointVendor": "Acme", "chargePointModel": "One", "firmwareVersion": "1.2"}
    answer = fine("BootNotification", await station.ask("BootNotification", payload))
    assert answer["status"] == "Accepted"
    view = await site.database.read(stations.find_station, "CP-1")
    assert (view.vendor, view.model, view.firmware, view.boot_ms) == ("Acme", "One", "1.2", NOON.ms)
    assert charging.last("boot") == "CP-1"


@pytest.mark.parametrize("verdict", list(Authorisation))
async def test_authorize_says_what_charging_thinks(station, charging, verdict):
    charging.verdict = verdict
    answer = fine("Authorize", await station.ask("Authorize", {"idTag": "ABC"}))
    assert answer == {"idTagInfo": {"status": verdict.value}}
    assert charging.last("authorise") == ("CP-1", "ABC")


async def test_a_start_is_numbered(site, station, charging):
    payload = {"connectorId": 1, "idTag": "ABC", "meterStart": 1200, "timestamp": AT}
    answer = fine("StartTransaction", await station.ask("StartTransaction", payload))
    assert answer == {"transactionId": 7, "idTagInfo": {"status": "Accepted"}}
    assert charging.last("start") == StartReport("CP-1", 1, "ABC", 1200, Instant.parse(AT))
    assert (await site.database.read(stations.connector_at, "CP-1", 1)).name == "cp-1-1"


async def test_a_stop_carries_its_samples(station, charging):
    value = {"timestamp": AT, "sampledValue": [{"value": "1500", "context": "Transaction.End"}]}
    payload = {
        "transactionId": 7, "meterStop": 1500, "timestamp": AT, "idTag": "ABC", "reason": "Remote",
        "transactionData": [value],
    }  # fmt: skip
    answer = fine("StopTransaction", await station.ask("StopTransaction", payload))
    assert answer == {"idTagInfo": {"status": "Accepted"}}
    sample = Sample(Instant.parse(AT), 1500, context="Transaction.End")
    assert charging.last("stop") == StopReport("CP-1", 7, 1500, Instant.parse(AT), "Remote", "ABC", (sample,))


@pytest.mark.parametrize("tag", [None, "UNDEFINED", ""])
async def test_a_stop_without_a_tag_is_answered_without_a_verdict(station, charging, tag):
    payload = {"transactionId": -1, "meterStop": 0, "timestamp": AT} | ({} if tag is None else {"idTag": tag})
    assert fine("StopTransaction", await station.ask("StopTransaction", payload)) == {}
    report = charging.last("stop")
    assert (report.transaction_id, report.id_tag, report.reason) == (-1, None, "Local")


async def test_a_status_makes_its_connector(site, station, charging):
    payload = {"connectorId": 2, "status": "Preparing", "errorCode": "NoError", "timestamp": AT}
    assert fine("StatusNotification", await station.ask("StatusNotification", payload)) == {}
    assert charging.last("status") == StatusReport("CP-1", 2, "Preparing", "NoError", Instant.parse(AT))
    view = await site.database.read(stations.find_connector, "cp-1-2")
    assert (view.status, view.state, view.online) == ("Preparing", "Preparing", True)


async def test_a_status_of_connector_0_is_the_whole_stations(site, station):
    fine("StatusNotification", await station.ask("StatusNotification", status(0, "Unavailable")))
    view = await site.database.read(stations.find_station, "CP-1")
    assert view.status == "Unavailable"
    assert await site.database.read(stations.list_connectors, identity="CP-1") == []


async def test_a_stop_outlives_what_it_carries(site, station, charging):
    """One unreadable moment and a tag that is too long cost themselves, never the end of the charge."""
    good = {"timestamp": AT, "sampledValue": [{"value": "1400"}]}
    payload = {
        "transactionId": 7, "meterStop": "1500.4", "timestamp": AT, "idTag": "A" * 22,
        "transactionData": [good | {"timestamp": ""}, good, {"sampledValue": [{"value": "1"}]}],
    }  # fmt: skip
    assert fine("StopTransaction", await station.ask("StopTransaction", payload)) == {}
    stop = charging.last("stop")
    assert (stop.meter_stop_wh, stop.id_tag) == (1500, None)
    assert stop.samples == (Sample(Instant.parse(AT), 1400),)
    flags = {"unreadable-moment", "unusable-id-tag", "text-not-number", "fraction-in-integer"}
    assert set(await site.quirks()) == flags


async def test_an_impossible_connector_is_refused(site, station):
    answer = await station.ask("StatusNotification", status(99, "Available"))
    assert answer[2] == "PropertyConstraintViolation"
    assert await site.database.read(stations.list_connectors, identity="CP-1") == []


async def test_meter_values_become_samples(station, charging):
    payload = {
        "connectorId": 1,
        "transactionId": 7,
        "meterValue": [{"timestamp": AT, "sampledValue": [{"value": "9"}]}],
    }
    assert fine("MeterValues", await station.ask("MeterValues", payload)) == {}
    assert charging.samples[0].samples == (Sample(Instant.parse(AT), 9),)
    assert (charging.samples[0].transaction_id, charging.samples[0].connector) == (7, 1)


@pytest.mark.parametrize(
    ("action", "payload"),
    [
        ("DataTransfer", {"vendorId": "Acme"}),
        ("FirmwareStatusNotification", {"status": "Downloading"}),
        ("DiagnosticsStatusNotification", {"status": "Uploaded"}),
    ],
)
async def test_what_only_needs_noting_is_noted(site, station, action, payload):
    fine(action, await station.ask(action, payload))
    assert [(row.direction, row.kind) for row in await site.frames(action=action)] == [
        ("out", "result"),
        ("in", "call"),
    ]


async def test_what_could_not_be_stored_is_not_acknowledged(site, station, charging):
    charging.error = Unavailable("The disk is full.")
    payload = {"connectorId": 1, "meterValue": [{"timestamp": AT, "sampledValue": [{"value": "9"}]}]}
    answer = await station.ask("MeterValues", payload)
    assert answer[:3] == [4, "m1", "InternalError"]
    assert [row.kind for row in await site.frames()] == ["error", "call"]
    charging.error = None
    fine("MeterValues", await station.ask("MeterValues", payload, "m2"))


async def test_a_crash_in_charging_costs_one_answer_and_not_the_connection(station, charging):
    charging.error = ZeroDivisionError()
    assert (await station.ask("Authorize", {"idTag": "A"}))[2] == "InternalError"
    charging.error = None
    fine("Authorize", await station.ask("Authorize", {"idTag": "A"}))


@pytest.mark.parametrize(
    ("action", "payload", "code"),
    [
        ("ThisActionDoesNotExist", {}, "NotImplemented"),
        ("../Heartbeat", {}, "NotImplemented"),
        ("SignCertificate", {"csr": "x"}, "NotSupported"),
        ("Authorize", {}, "ProtocolError"),
        ("Authorize", {"idTag": ["A"]}, "TypeConstraintViolation"),
        ("Authorize", {"idTag": "A" * 21}, "PropertyConstraintViolation"),
        ("MeterValues", {"connectorId": 1, "meterValue": []}, "OccurenceConstraintViolation"),
        ("StatusNotification", status(1, "Dancing"), "PropertyConstraintViolation"),
        ("StartTransaction", START | {"connectorId": 0}, "PropertyConstraintViolation"),
        ("StartTransaction", START | {"connectorId": 65}, "PropertyConstraintViolation"),
        ("StartTransaction", START | {"connectorId": -1}, "PropertyConstraintViolation"),
        ("StartTransaction", START | {"timestamp": "noon"}, "PropertyConstraintViolation"),
    ],
)  # fmt: skip
async def test_what_is_uncertain_gets_the_error_of_the_standard(station, charging, action, payload, code):
    answer = await station.ask(action, payload)
    assert answer[:3] == [4, "m1", code]
    assert charging.heard == []
    assert (await station.ask("Heartbeat", {}))[0] == 3

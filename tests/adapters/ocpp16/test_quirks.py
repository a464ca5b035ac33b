"""What real chargers send slightly wrong: accepted and flagged where it is certain, refused where it is not."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commonwatt.adapters.station.dialect import Caller, Refusal
from commonwatt.adapters.station.ocpp16.check import check_own, checked, validator
from commonwatt.adapters.station.ocpp16.samples import read_samples, scaled
from commonwatt.adapters.station.ocpp16.times import read_time
from commonwatt.charging.reports import Sample
from commonwatt.kernel import Instant
from commonwatt.kit.clock import SteppedClock

NOW = Instant.parse("2026-05-01T12:00:00Z")
AT = "2026-05-01T12:00:00Z"


class Flags(list):
    def __call__(self, _identity, slug, _detail):
        self.append(slug)


@pytest.fixture
def flags():
    return Flags()


@pytest.fixture
def caller(flags):
    return Caller("CP-1", clock=SteppedClock(NOW), flag=flags)


def value(text, measurand=None, unit=None, **more):
    given = {"value": text, "measurand": measurand, "unit": unit, **more}
    return {key: word for key, word in given.items() if word is not None}


def read(caller, *values):
    request = {"connectorId": 1, "meterValue": [{"timestamp": AT, "sampledValue": list(values)}]}
    samples = read_samples(caller, checked(caller, "MeterValues", request)["meterValue"], NOW)
    return samples[0] if samples else None


REGISTER = "Energy.Active.Import.Register"
POWER = "Power.Active.Import"


@pytest.mark.parametrize(
    ("values", "sample", "flagged"),
    [
        ([value("1234")], Sample(NOW, 1234), set()),
        ([value("1.2345", REGISTER, "kWh")], Sample(NOW, 1235), set()),
        ([value("1234.5", REGISTER, "Wh")], Sample(NOW, 1235), set()),
        ([value("1.2", REGISTER, "kwh")], Sample(NOW, 1200), {"odd-unit"}),
        ([value(1234)], Sample(NOW, 1234), {"number-not-text"}),
        ([value(12.5, POWER, "kW")], Sample(NOW, power_w=12500), {"number-not-text"}),
        ([value("7.36", POWER, "KW")], Sample(NOW, power_w=7360), {"odd-unit"}),
        ([value("7360", "power.active.import", "W")], Sample(NOW, power_w=7360), {"odd-measurand"}),
        ([value("50", "Frequency", "Hz"), value("9")], Sample(NOW, 9), {"odd-unit"}),
        ([value("21", "Temperature", "°C"), value("9")], Sample(NOW, 9), {"odd-unit"}),
        ([value("5", "Sunshine", "kLux"), value("9")], Sample(NOW, 9), {"unknown-measurand", "unknown-unit"}),
        ([value("9", context="Sample.Sometimes")], Sample(NOW, 9), {"unknown-context"}),
        ([value("16.5", "Current.Import", "A")], Sample(NOW, current_ma=16500), set()),
        ([value("230.1", "Voltage", "V")], Sample(NOW, voltage_mv=230100), set()),
        ([value("55", "SoC", "Percent", location="EV")], Sample(NOW, soc_percent=55), set()),
        ([value("100", "Energy.Active.Import.Interval")], Sample(NOW, interval_wh=100), set()),
        ([value("9", extra="x", other=None)], Sample(NOW, 9), {"extra-field"}),
        ([value("NaN"), value("7", POWER)], Sample(NOW, power_w=7), {"unreadable-value"}),
        ([value("12,5"), value("7", POWER)], Sample(NOW, power_w=7), {"unreadable-value"}),
        ([value("1e99"), value("7", POWER)], Sample(NOW, power_w=7), {"unreadable-value"}),
        ([value("-5", POWER)], Sample(NOW, power_w=-5), set()),
        ([value("7", POWER, "Wh"), value("9")], Sample(NOW, 9), {"unit-mismatch"}),
        ([value("OCMF|{}|{}", format="SignedData"), value("9")], Sample(NOW, 9), set()),
        ([value("", REGISTER), value("7", POWER)], Sample(NOW, power_w=7), set()),
        ([{"value": "9", "phase": None}], Sample(NOW, 9), {"null-field"}),
        (
            [dict.fromkeys(("context", "format", "location", "unit", "measurand")) | value("9")],
            Sample(NOW, 9),
            {"null-field"},
        ),
        ([{"value": None}, value("9")], Sample(NOW, 9), {"null-field", "missing-field"}),
        (
            [value("8", unit="kWh") | {"x": 1}, {"unit": "kwh", "phase": 4}, value("9")],
            Sample(NOW, 9),
            {"extra-field", "missing-field"},
        ),
    ],
)
def test_values_are_understood(caller, flags, values, sample, flagged):
    assert read(caller, *values) == sample
    assert set(flags) == flagged


def phased(measurand, *amounts, unit=None):
    return [value(amount, measurand, unit, phase=f"L{n + 1}") for n, amount in enumerate(amounts)]


def test_phases_are_added_up_where_there_is_no_total(caller):
    assert read(caller, *phased(POWER, "1000", "2000", "3000")).power_w == 6000
    assert read(caller, *phased(REGISTER, "1", "2", "3", unit="kWh")).energy_wh == 6000
    assert read(caller, *phased(POWER, "1000", "2000"), value("2950", POWER)).power_w == 2950
    assert read(caller, *phased("Current.Import", "16", "15.9", "6")).current_ma == 16000
    assert read(caller, value("0.1", "Current.Import", phase="N"), value("9")) == Sample(NOW, 9)


def test_the_outlet_is_billed_and_not_the_inlet(caller):
    assert read(caller, value("99", location="Inlet"), value("90", location="Outlet")).energy_wh == 90
    assert read(caller, value("90"), value("99", location="Inlet")).energy_wh == 90
    assert read(caller, value("99", location="Inlet")).energy_wh == 99
    assert read(caller, value("5", location="Cable")) is None


def test_a_waiver_reads_wh_as_kwh(flags):
    caller = Caller("CP-1", clock=SteppedClock(NOW), flag=flags, waivers=frozenset({"wh-means-kwh"}))
    assert read(caller, value("361", REGISTER, "Wh")).energy_wh == 361_000
    assert read(caller, value("1.5", REGISTER, "kWh")).energy_wh == 1500


def test_moments_that_say_nothing_fall_away(caller, flags):
    empty = {"timestamp": AT, "sampledValue": []}
    request = {"connectorId": 1, "meterValue": [empty, {"timestamp": AT, "sampledValue": [value("9")]}]}
    samples = read_samples(caller, checked(caller, "MeterValues", request)["meterValue"], NOW)
    assert samples == (Sample(NOW, 9),)
    assert flags == ["empty-meter-value"]


@pytest.mark.parametrize(
    ("text", "at", "flagged"),
    [
        ("2026-05-01T11:59:00Z", "2026-05-01T11:59:00Z", []),
        ("2026-05-01T13:59:00+02:00", "2026-05-01T11:59:00Z", []),
        ("2026-05-01T11:59:00.123456789Z", "2026-05-01T11:59:00.123Z", []),
        ("2026-05-01T11:59:00", "2026-05-01T11:59:00Z", ["time-without-zone"]),
        ("2026-05-01 11:59:00", "2026-05-01T11:59:00Z", ["time-without-zone"]),
        ("2026-05-01T12:00:30Z", AT, []),
        ("2026-05-01T14:00:00Z", AT, ["clock-ahead"]),
        ("1970-01-01T00:01:00Z", AT, ["clock-unset"]),
        ("2026-05-01t11:59:00z", "2026-05-01T11:59:00Z", []),
        ("2026-05-01T11:58:60Z", "2026-05-01T11:59:00Z", []),
        ("2026-05-01T11:58:60.5+00:00", "2026-05-01T11:59:00.5Z", []),
        ("2026-05-01T11:59Z", "2026-05-01T11:59:00Z", []),
        ("20260501T115900Z", "2026-05-01T11:59:00Z", []),
        ("20260501T115860Z", "2026-05-01T11:59:00Z", []),
    ],
)
def test_times_are_understood(caller, flags, text, at, flagged):
    assert read_time(caller, text, NOW) == Instant.parse(at)
    assert flags == flagged


@pytest.mark.parametrize(
    "text",
    [
        "", "noon", "2026-13-01T00:00:00Z", "1714564800", "2026-05-01T25:00:00Z", "2026-05-01", "20260501",
        "2026-W18-5", "2026-W18-5T11:59:00Z", "1714564800000", "2026-05-01T11:59:61Z", "2026-05-01T11:60:60Z",
        "9999-12-31T23:59:60Z", "٢٠٢٦-05-01T11:59:00Z",
    ],
)  # fmt: skip
def test_what_is_no_time_is_refused(caller, text):
    with pytest.raises(Refusal) as refused:
        read_time(caller, text, NOW)
    assert refused.value.code == "PropertyConstraintViolation"


STATUS = {"connectorId": 1, "status": "Available", "errorCode": "NoError"}
OTHER_ERROR = STATUS | {"errorCode": "OtherError", "info": "E42"}
START = {"connectorId": 1, "idTag": "A", "meterStart": 0, "timestamp": AT}
STOP = {"transactionId": 1, "meterStop": 5, "timestamp": AT}
MOMENT = {"timestamp": AT, "sampledValue": [{"value": "9"}]}
NO_MOMENT = {"timestamp": 5, "sampledValue": 5}
STOPPED = STOP | {"transactionData": [MOMENT]}
BOOT = {"chargePointVendor": "A", "chargePointModel": "B"}


@pytest.mark.parametrize(
    ("name", "sent", "meant", "flag"),
    [
        ("StatusNotification", STATUS | {"connectorId": "1"}, STATUS, "text-not-number"),
        ("StatusNotification", STATUS | {"status": "available"}, STATUS, "odd-status"),
        ("StatusNotification", STATUS | {"errorCode": ""}, STATUS, "unknown-errorcode"),
        ("StatusNotification", {"connectorId": 1, "status": "Available"}, STATUS, "missing-field"),
        ("StatusNotification", STATUS | {"info": None}, STATUS, "null-field"),
        ("StatusNotification", STATUS | {"info": "x" * 60}, STATUS | {"info": "x" * 50}, "text-too-long"),
        ("StatusNotification", STATUS | {"errorCode": "E42"}, OTHER_ERROR, "unknown-errorcode"),
        ("StartTransaction", START | {"meterStart": 12.0}, START | {"meterStart": 12}, "fraction-in-integer"),
        ("StartTransaction", START | {"meterStart": 12.5}, START | {"meterStart": 13}, "fraction-in-integer"),
        ("StartTransaction", START | {"meterStart": "12"}, START | {"meterStart": 12}, "text-not-number"),
        ("StartTransaction", START | {"meterStart": "12.5"}, START | {"meterStart": 13}, "fraction-in-integer"),
        ("StopTransaction", STOP | {"meterStop": " 4.5 "}, STOP, "text-not-number"),
        ("StopTransaction", STOP | {"reason": "Bored"}, STOP, "unknown-reason"),
        ("StopTransaction", STOP | {"reason": None}, STOP, "null-field"),
        ("StopTransaction", STOP | {"idTag": "A" * 21}, STOP, "unusable-id-tag"),
        ("StopTransaction", STOP | {"idTag": ["A"]}, STOP, "unusable-id-tag"),
        ("StopTransaction", STOP | {"transactionId": "12.5"}, STOP | {"transactionId": -1}, "impossible-number"),
        ("StopTransaction", STOP | {"meterStop": 2**63}, STOP | {"meterStop": 0}, "impossible-number"),
        ("StopTransaction", STOP | {"transactionData": "none"}, STOP, "unreadable-moment"),
        ("StopTransaction", STOP | {"transactionData": [{}, MOMENT, NO_MOMENT, 7]}, STOPPED, "unreadable-moment"),
        ("StopTransaction", STOP | {"transactionData": [{"x": 1}] * 300}, STOP, "unreadable-moment"),
        ("StopTransaction", STOP | {"idTag": None}, STOP, "null-field"),
        ("BootNotification", {"chargePointModel": "B"}, BOOT | {"chargePointVendor": "unknown"}, "missing-field"),
        ("BootNotification", BOOT | {"iccid": "B" * 30}, BOOT | {"iccid": "B" * 20}, "text-too-long"),
        ("BootNotification", BOOT | {"iccid": 123}, BOOT | {"iccid": "123"}, "number-not-text"),
    ],
)  # fmt: skip
def test_slips_with_a_certain_meaning(caller, flags, name, sent, meant, flag):
    before = repr(sent)
    assert checked(caller, name, sent) == meant
    assert flag in flags
    assert repr(sent) == before


@pytest.mark.parametrize(
    ("name", "sent", "code"),
    [
        ("StatusNotification", STATUS | {"status": "Occupied"}, "PropertyConstraintViolation"),
        ("StatusNotification", {"connectorId": 1, "status": "Faulted"}, "ProtocolError"),
        ("StatusNotification", STATUS | {"connectorId": "one"}, "TypeConstraintViolation"),
        ("StatusNotification", STATUS | {"connectorId": 1.5}, "TypeConstraintViolation"),
        ("StatusNotification", STATUS | {"connectorId": True}, "TypeConstraintViolation"),
        ("StartTransaction", START | {"idTag": "A" * 21}, "PropertyConstraintViolation"),
        ("StartTransaction", START | {"meterStart": None}, "ProtocolError"),
        ("StartTransaction", START | {"meterStart": "12.3 kWh"}, "TypeConstraintViolation"),
        ("StartTransaction", START | {"meterStart": "12,5"}, "TypeConstraintViolation"),
        ("StopTransaction", {"transactionId": 1, "timestamp": AT}, "ProtocolError"),
        ("MeterValues", {"connectorId": 1, "meterValue": {}}, "TypeConstraintViolation"),
        ("MeterValues", {"connectorId": 1, "meterValue": [{}] * 500}, "ProtocolError"),
        ("MeterValues", {"connectorId": 1, "meterValue": [{"timestamp": AT}]}, "ProtocolError"),
    ],
)
def test_slips_without_one(caller, flags, name, sent, code):
    with pytest.raises(Refusal) as refused:
        checked(caller, name, sent)
    assert refused.value.code == code
    assert flags == []


@pytest.mark.parametrize("tag", ["04A2F1" * 4, 4711.5, ["04A2F1"], {"tag": "04A2F1"}])
def test_a_refusal_never_tells_an_id_tag(caller, tag):
    with pytest.raises(Refusal) as refused:
        checked(caller, "Authorize", {"idTag": tag} if not isinstance(tag, float) else {"idTag": [tag]})
    assert refused.value.description.startswith("idTag: ")
    assert "04A2F1" not in refused.value.description
    assert "4711" not in refused.value.description
    listed = {"idTag": "04A2F1", "idTagInfo": {"status": "Accepted"}}
    with pytest.raises(Refusal) as refused:
        check_own("SendLocalList", {"listVersion": 1, "updateType": "Full", "localAuthorizationList": listed})
    assert "04A2F1" not in refused.value.description


@pytest.mark.parametrize(
    ("text", "power", "number"),
    [
        ("0.5", 0, 1),
        ("-0.5", 0, -1),
        ("1.0004999", 3, 1000),
        (" 7 ", 0, 7),
        ("9" * 15, 0, 10**15 - 1),
        ("9" * 17, 0, None),
        ("²", 0, None),
        ("Infinity", 0, None),
        ("0x10", 0, None),
    ],
)
def test_numbers_are_rounded_half_up(text, power, number):
    assert scaled(text, power) == number


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
VALID = {
    "StatusNotification": STATUS, "StartTransaction": START, "StopTransaction": STOP, "BootNotification": BOOT,
    "MeterValues": {"connectorId": 1, "meterValue": [{"timestamp": AT, "sampledValue": [value("9", REGISTER, "Wh")]}]},
}  # fmt: skip


@settings(max_examples=300)
@given(st.sampled_from(sorted(VALID)), JSON, st.integers(0, 2**32))
def test_a_payload_is_repaired_to_its_schema_or_refused(name, anything, seed):
    """Whatever one field is replaced by, the outcome follows the schema, or is a CALLERROR of the table."""
    chance = random.Random(seed)
    payload = _with_one_replaced(VALID[name], anything, chance)
    caller = Caller("CP-1", clock=SteppedClock(NOW), flag=lambda *_: None)
    try:
        result = checked(caller, name, payload)
    except Refusal:
        return
    assert validator(name).is_valid(result)
    if name == "MeterValues":
        try:
            read_samples(caller, result["meterValue"], NOW)
        except Refusal:
            return


def _with_one_replaced(value, anything, chance):
    if isinstance(value, dict) and chance.random() < 0.9:
        key = chance.choice([*value, "another"])
        return value | {key: _with_one_replaced(value.get(key), anything, chance)}
    if isinstance(value, list) and value and chance.random() < 0.9:
        return [_with_one_replaced(value[0], anything, chance), *value[1:]]
    return anything if not isinstance(value, dict) else value | {"another": anything}

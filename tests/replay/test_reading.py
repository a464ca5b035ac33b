"""Files of past charges: three kinds of columns, and every bad row named with its reason."""

from __future__ import annotations

import gzip
from datetime import UTC
from zoneinfo import ZoneInfo

import pytest
from tests.conftest import SHARED

from commonwatt.kernel import Instant
from commonwatt.main.replay.reading import UnreadableFile, read_file, read_rows

HEAD = "station,connector,plugged_in,charge_end,plugged_out,energy_kwh,user"
GOOD = "A,1,2026-05-01T12:00Z,2026-05-01T13:00Z,2026-05-01T14:00Z,11.5,7"
CALIFORNIA = ZoneInfo("America/Los_Angeles")


def read(*lines, zone=UTC):
    return read_rows([line + "\r\n" for line in lines], zone)


def test_neutral_columns():
    reading = read(HEAD, GOOD)
    (charge,) = reading.charges
    assert (reading.kind, reading.bad) == ("neutral", ())
    assert (charge.line, charge.station, charge.connector, charge.energy_wh, charge.user) == (2, "A", 1, 11_500, "7")
    assert charge.charge_end == Instant.parse("2026-05-01T13:00:00Z")


def test_without_connector_and_charge_end():
    reading = read("energy_kwh,plugged_out,plugged_in,station", "1,2026-05-01T14:00Z,2026-05-01T12:00Z,B")
    (charge,) = reading.charges
    assert (charge.connector, charge.charge_end) == (None, charge.plugged_out)


def test_research_car_park():
    reading = read(
        "session,station,user,plugged_in_utc,charge_end_utc,plugged_out_utc,energy_kwh,mean_power_kw",
        "1,1-1-193-816,1,2018-10-08T13:25Z,2018-10-09T00:00Z,2018-10-09T00:06Z,6.31,0.60",
    )
    (charge,) = reading.charges
    assert (reading.kind, charge.station, charge.energy_wh) == ("research car park", "1-1-193-816", 6_310)


def test_workplace_years_and_local_time():
    head = "sessionId,kwhTotal,dollars,created,ended,userId,stationId"
    reading = read(head, "1,5.61,0,0014-11-18 15:01:17,0014-11-18 18:26:04,1,632920", zone=CALIFORNIA)
    (charge,) = reading.charges
    assert reading.kind == "workplace"
    assert charge.plugged_in.iso() == "2014-11-18T23:01:17.000Z"
    assert charge.charge_end == charge.plugged_out


def test_the_hour_that_comes_twice():
    reading = read(HEAD, "A,,2015-11-01 01:50,,2015-11-01 01:20,1,", zone=CALIFORNIA)
    (charge,) = reading.charges
    assert charge.plugged_out.since(charge.plugged_in) == 30 * 60_000


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("A,1,2026-05-01T12:00Z,2026-05-01T13:00Z,2026-05-01T14:00Z,11.5", "has 6 columns"),
        (",1,2026-05-01T12:00Z,,2026-05-01T14:00Z,1,", "station is empty"),
        ("A" * 101 + ",1,2026-05-01T12:00Z,,2026-05-01T14:00Z,1,", "no name"),
        ("A\x07,1,2026-05-01T12:00Z,,2026-05-01T14:00Z,1,", "no name"),
        ("A,0,2026-05-01T12:00Z,,2026-05-01T14:00Z,1,", "connector is no number"),
        ("A,x,2026-05-01T12:00Z,,2026-05-01T14:00Z,1,", "connector is no number"),
        ("A,1,yesterday,,2026-05-01T14:00Z,1,", "plugged_in is no time"),
        ("A,1,2026-13-01T12:00Z,,2026-05-01T14:00Z,1,", "plugged_in is no time"),
        ("A,1,0000-01-01T12:00Z,,2026-05-01T14:00Z,1,", "plugged_in is no time"),
        ("A,1,2026-05-01T12:00Z,,,1,", "plugged_out is no time"),
        ("A,1,2026-05-01T12:00Z,,2026-05-01T12:00Z,0,", "ends before it starts"),
        ("A,1,2026-05-01T12:00Z,,2026-05-01T10:00Z,1,", "ends before it starts"),
        ("A,1,2026-05-01T12:00Z,2026-05-01T15:00Z,2026-05-01T14:00Z,1,", "outside of the time"),
        ("A,1,2026-05-01T12:00Z,2026-05-01T12:00Z,2026-05-01T14:00Z,1,", "outside of the time"),
        ("A,1,2026-05-01T12:00Z,,2026-07-01T14:00Z,1,", "lasts 61 days"),
        ("A,1,2026-05-01T12:00Z,,2026-05-01T13:00Z,401,", "401 kW"),
        ("A,1,2026-05-01T12:00Z,,2026-05-01T13:00Z,-1,", "no energy"),
        ("A,1,2026-05-01T12:00Z,,2026-05-01T13:00Z,NaN,", "no energy"),
        ("A,1,2026-05-01T12:00Z,,2026-05-01T13:00Z,1e3,", "no energy"),
        ("A,1,2026-05-01T12:00Z,,2026-05-01T13:00Z,٣,", "no energy"),
        ('A,1,2026-05-01T12:00Z,,2026-05-01T13:00Z,1,"' + "x" * 20_000 + '"', "no CSV"),
        (GOOD, "repeats line 2"),
    ],
)
def test_a_bad_row_is_named_and_the_rest_goes_on(row, reason):
    reading = read(HEAD, GOOD, row, GOOD.replace("A,", "B,"))
    assert [charge.station for charge in reading.charges] == ["A", "B"]
    (bad,) = reading.bad
    assert bad.line == 3
    assert reason in bad.reason


def test_energy_is_rounded_half_up_to_whole_wh():
    rows = [GOOD.replace("A,", f"{n},").replace("11.5", kwh) for n, kwh in enumerate(("0.0005", "0.00049", "0", "7"))]
    assert [charge.energy_wh for charge in read(HEAD, *rows).charges] == [1, 0, 0, 7_000]


def test_empty_lines_are_passed_over():
    assert len(read(HEAD, "", GOOD, ",,,,,,").charges) == 1


@pytest.mark.parametrize("lines", [[], [""], ["a,b,c"], ["station,plugged_in,energy_kwh"], ['"station']])
def test_a_header_that_is_not_understood(lines):
    with pytest.raises(UnreadableFile):
        read(*lines)


@pytest.mark.parametrize(
    "content", [b"\xff\xfe\x00", b"\x1f\x8b\x08rubbish", gzip.compress(b"a,b", mtime=0)[:-6], b"\x1f\x8b"]
)
def test_a_file_that_is_no_text(tmp_path, content):
    path = tmp_path / "past.csv"
    path.write_bytes(content)
    with pytest.raises(UnreadableFile):
        read_file(path, UTC)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(UnreadableFile, match="no such file"):
        read_file(tmp_path / "none.csv", UTC)


def test_plain_and_packed_files_say_the_same(tmp_path):
    text = f"\ufeff{HEAD}\n{GOOD}\n".encode()
    (tmp_path / "a.csv").write_bytes(text)
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(text))
    assert read_file(tmp_path / "a.csv", UTC) == read_file(tmp_path / "a.csv.gz", UTC)


@pytest.mark.data
@pytest.mark.skipif(not SHARED.is_dir(), reason="no sample data beside the repository")
@pytest.mark.parametrize(
    ("name", "charges", "energy_wh"), [("acn", 23_773, 353_674_350), ("workplace", 1_697, 9_808_620)]
)
def test_the_sample_data_is_read_whole(name, charges, energy_wh):
    reading = read_file(SHARED / "ev_sessions" / f"{name}_sessions.csv.gz", CALIFORNIA)
    assert (len(reading.charges), reading.bad) == (charges, ())
    assert sum(charge.energy_wh for charge in reading.charges) == energy_wh

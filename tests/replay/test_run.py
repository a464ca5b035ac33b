"""Whole replays over real sockets: right to the msat, stopped and gone on, killed and gone on."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC

import pytest
from tests.replay.command import main

from commonwatt.kernel import CONNECTORS_MAX
from commonwatt.main.replay.diary import Diary, Offer, OtherReplay, Page, only_replay
from commonwatt.main.replay.plan import make_plan
from commonwatt.main.replay.reading import read_rows
from commonwatt.main.replay.run import Replay
from commonwatt.main.replay.station import FrameRefused

HEAD = "station,plugged_in,charge_end,plugged_out,energy_kwh"


def rows(count, seed=0):
    """Return a generated past: three stations, idle hours, empty charges, overlaps, one that lasts two days."""
    chance = random.Random(seed)
    lines = [HEAD, "long,2019-12-30T08:00Z,2020-01-01T10:00Z,2020-01-01T20:00Z,0.004"]
    minute = 0
    for number in range(count - 1):
        minute += chance.randint(0, 90)
        charging, idle = chance.randint(10, 400), chance.choice([0, 0, 30, 300])
        kwh = chance.choice(["0", "0.001", f"{chance.uniform(0.2, 20):.3f}"])
        times = [1577664000 + 60 * at for at in (minute, minute + charging, minute + charging + idle)]
        texts = [time.strftime("%Y-%m-%dT%H:%MZ", time.gmtime(at)) for at in times]
        lines.append(f"park {number % 3},{','.join(texts)},{kwh}")
    return [line + "\n" for line in lines]


def plan_of(lines):
    reading = read_rows(lines, UTC)
    assert reading.bad == ()
    return make_plan(reading.charges)


async def run(plan, folder, *, stop_after=None, digest="same"):
    """Run until the end, or stop after so many windows with charges that ended."""
    stop, seen = asyncio.Event(), []

    def advance(count):
        seen.append(count)
        if stop_after is not None and len(seen) >= stop_after:
            stop.set()

    return await Replay(plan, Diary(folder, digest), folder, samples=1, zone="Europe/Prague").run(advance, stop)


async def test_a_past_is_replayed_to_the_last_msat(tmp_path):
    plan = plan_of(rows(25))
    report = await run(plan, tmp_path)
    assert report.faults == ()
    assert report.total.charges == 25
    assert report.total.energy_wh == sum(one.past.energy_wh for one in plan.charges)
    assert report.total.rounding_msat > 0
    again = await run(plan, tmp_path)
    assert again == report


async def test_it_stops_between_windows_and_goes_on(tmp_path):
    plan = plan_of(rows(15, seed=3))
    runs = 0
    report = None
    while report is None:
        report = await run(plan, tmp_path, stop_after=2)
        runs += 1
    assert runs > 2
    assert report.faults == ()
    assert report.total.charges == 15


async def test_lines_that_break_lose_nothing(tmp_path):
    plan = plan_of(rows(20, seed=5))
    replay = Replay(plan, Diary(tmp_path, "same"), tmp_path, samples=3, zone="UTC")
    running = asyncio.create_task(replay.run(lambda _: None, asyncio.Event()))
    cuts = 0
    while not running.done():
        await asyncio.sleep(0.2)
        house = getattr(replay._place, "house", None)
        for identity in house.hub.connected() if house else []:
            await house.hub.disconnect(identity, "the test cuts the line")
            cuts += 1
    report = await running
    assert cuts > 3
    assert report.faults == ()
    assert report.total.charges == 20


async def test_another_file_does_not_go_on_in_the_same_folder(tmp_path):
    Diary(tmp_path, "one").turn(Page(digest="one"))
    with pytest.raises(OtherReplay):
        Diary(tmp_path, "two")


def test_a_torn_line_of_the_diary_is_cut_off(tmp_path):
    Diary(tmp_path, "one").note_offers([Offer(2, "s", "x", "ln", 5)])
    with (tmp_path / "offers.jsonl").open("ab") as file:
        file.write(b'{"line": 3, "sess')
    again = Diary(tmp_path, "one")
    assert set(again.offers) == {2}
    again.note_offers([Offer(3, "t", "y", "ln", 6)])
    assert set(Diary(tmp_path, "one").offers) == {2, 3}


def start(file, data):
    environment = {**os.environ, "COMMONWATT_CONFIG": ""}
    code = "import sys; from tests.replay.command import main; sys.exit(main(sys.argv[1:]))"
    words = [sys.executable, "-c", code, "replay", str(file), "--data", str(data), "--json"]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


@pytest.mark.slow
def test_killed_at_any_moment_it_goes_on_and_is_right(tmp_path):
    file = tmp_path / "past.csv"
    file.write_text("".join(rows(30, seed=7)))
    chance, kills = random.Random(1), 0
    while True:
        process = start(file, tmp_path / "data")
        try:
            out, err = process.communicate(timeout=chance.uniform(1.2, 2.5) if kills < 6 else 120)
            break
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            kills += 1
    assert process.returncode == 0, err
    report = json.loads(out)
    assert kills > 0
    assert report["faults"] == []
    assert report["balanced"]
    assert report["total"]["charges"] == 30


@pytest.mark.slow
def test_ctrl_c_stops_between_windows_with_exit_code_130(tmp_path):
    file = tmp_path / "past.csv"
    file.write_text("".join(rows(60, seed=9)))
    process = start(file, tmp_path / "data")
    diary = next_diary(tmp_path / "data", process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, "same command" in out) == (130, True), err
    assert diary.exists()


def next_diary(data, process):
    """Wait until the replay has turned its first page."""
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        for found in data.glob("replay/*/diary.json"):
            return found
        time.sleep(0.02)
    raise AssertionError(process.communicate())


def test_only_looking_at_a_file(tmp_path):
    file = tmp_path / "past.csv"
    file.write_text("".join(rows(5)) + "x\n")
    words = ["replay", str(file), "--check", "--data", str(tmp_path / "data")]
    code = "import sys; from tests.replay.command import main; sys.exit(main(sys.argv[1:]))"
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Charges   5 at 4 stations" in done.stdout
    assert "line 7: has 1 column, the header 5" in done.stdout
    assert not (tmp_path / "data").exists()


def test_a_row_that_names_too_high_a_connector_is_reported_and_the_rest_goes_on(tmp_path):
    file, good = tmp_path / "past.csv", "2020-01-01T10:00Z,2020-01-01T11:00Z,3.2"
    lines = ["station,plugged_in,plugged_out,energy_kwh,connector", f"B,{good},77", f"C,{good},64"]
    file.write_text("\n".join(lines))
    out, err = start(file, tmp_path / "data").communicate(timeout=120)
    report = json.loads(out or err)
    assert report["bad"] == [{"line": 2, "reason": "connector is no number from 1 to 64: '77'"}]
    assert (report["total"]["charges"], report["balanced"]) == (1, True)


async def test_a_frame_that_the_server_refuses_is_told_as_a_problem(tmp_path):
    plan = plan_of(rows(2))
    plan = replace(plan, connectors=dict.fromkeys(plan.connectors, CONNECTORS_MAX + 1))
    with pytest.raises(FrameRefused, match=r"StatusNotification.* connectorId 65"):
        await run(plan, tmp_path)


@pytest.mark.parametrize(("row", "said"), [("", "no row below the header"), ("x\n", "no row is a charge")])
def test_a_file_without_a_charge_is_not_called_balanced(tmp_path, capsys, row, said):
    file = tmp_path / "past.csv"
    file.write_text(HEAD + "\n" + row)
    words = ["replay", str(file), "--data", str(tmp_path / "data")]
    assert main(words) == 1
    told = capsys.readouterr().out
    assert said in told
    assert "alanced" not in told
    assert main([*words, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["balanced"] is False
    assert main([*words, "--check"]) == 1
    assert said in capsys.readouterr().out


def test_a_zone_that_does_not_exist_is_a_usage_error(tmp_path):
    file = tmp_path / "past.csv"
    file.write_text("".join(rows(2)))
    assert main(["replay", str(file), "--zone", "Mars/Base"]) == 2
    assert main(["replay", str(file), "--zone", "../../etc/passwd"]) == 2


def test_a_second_replay_in_the_same_folder_is_kept_away_and_nobody_else_reads_it(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("commonwatt.kit.log.configure_log", lambda *_: None)
    file = tmp_path / "past.csv"
    file.write_text("".join(rows(5)))
    words = ["replay", str(file), "--data", str(tmp_path / "data")]
    assert main(words) == 0
    assert "Balanced to the last msat" in capsys.readouterr().out
    (folder,) = (tmp_path / "data" / "replay").iterdir()
    for place in (folder, folder.parent, folder.parent.parent):
        assert place.stat().st_mode & 0o777 == 0o700, place
    for left in folder.iterdir():
        assert left.stat().st_mode & 0o777 == 0o600, left
    with only_replay(folder):
        assert main(words) == 1
    assert "Another replay runs in" in capsys.readouterr().err
    assert main(words) == 0

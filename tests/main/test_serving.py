"""`commonwatt serve` and `demo` as a stranger starts them: ready with one line, alone over its data, gone on Ctrl-C."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import replace
from functools import partial

import pytest

from commonwatt.main.config import Address, Config
from commonwatt.main.demo.settings import demo_config
from commonwatt.main.serving import serving

COMMAND = [sys.executable, "-m", "commonwatt.main"]
READY_S = 60


def start(*arguments, **more):
    env = {**os.environ, "LANG": "C.UTF-8"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([*COMMAND, *arguments], env=env, **pipes, **more)


def stop(process):
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=READY_S)
    assert process.returncode == 130, err
    return out


@pytest.fixture
def server(tmp_path):
    process = start("--data", str(tmp_path), "--json", "serve", "--http", "127.0.0.1:0", "--stations", "127.0.0.1:0")
    try:
        yield json.loads(process.stdout.readline()), process, tmp_path
    finally:
        process.kill()
        process.communicate()


def get(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.status, answer.read()


def test_serve_says_in_one_line_where_it_listens(server):
    facts, process, data = server
    assert get(facts["http"] + "/healthz")[0] == 200
    assert get(facts["http"] + "/readyz")[0] == 200
    assert get(facts["owner_link"])[0] == 200
    for path in ("/api", "/api/v1"):
        assert b"/api/v1/openapi.json" in get(facts["http"] + path)[1]
    assert facts["stations"] == f"ws://127.0.0.1:{facts['stations_port']}/ocpp"
    assert facts["data"] == str(data)
    assert stop(process) == ""


def test_what_a_server_makes_is_readable_by_its_owner_only(server):
    """Whatever the mode of the folder was before, and whatever the umask of the shell is."""
    _, _, data = server
    rights = {path.name: oct(path.stat().st_mode & 0o777) for path in data.iterdir()}
    assert {"commonwatt.sqlite", "commonwatt.sqlite-wal", "sandbox.sqlite", "server.lock"} <= rights.keys()
    assert set(rights.values()) == {"0o600"}


def test_a_second_server_over_the_same_data_is_refused(server):
    _, _, data = server
    second = start("--data", str(data), "serve", "--http", "127.0.0.1:0", "--stations", "127.0.0.1:0")
    _, err = second.communicate(timeout=READY_S)
    assert second.returncode == 4
    assert "Another server uses this data" in err


def test_a_port_that_is_taken_is_said_and_leaves_nothing_behind(server, tmp_path):
    facts, _, _ = server
    other = tmp_path / "other"
    taken = f"127.0.0.1:{facts['stations_port']}"
    failing = start("--data", str(other), "serve", "--http", "127.0.0.1:0", "--stations", taken)
    _, err = failing.communicate(timeout=READY_S)
    assert failing.returncode == 4
    assert "Stations cannot connect at" in err
    again = start("--data", str(other), "--json", "serve", "--http", "127.0.0.1:0", "--stations", "127.0.0.1:0")
    assert json.loads(again.stdout.readline())["data"] == str(other)
    stop(again)


def test_the_walk_ends_with_balanced_books():
    walk = start("demo", "--walk")
    out, err = walk.communicate(timeout=180)
    assert walk.returncode == 0, err
    assert "Debits less credits: 0 msat." in out
    assert "locked until energy flows" in out
    assert "http" not in out
    assert out.splitlines()[-1].endswith("commonwatt demo")
    assert max(len(line) for line in out.splitlines()) <= 80


def test_the_walk_for_programs():
    out, err = start("demo", "--walk", "--json").communicate(timeout=180)
    steps = json.loads(out)
    assert [step["step"] for step in steps] == list(range(1, len(steps) + 1)), err
    paid, bill = steps[3]["amounts"]["paid"], steps[8]["amounts"]
    assert bill["billed"]["units"] + bill["change"]["units"] == paid["units"]
    assert steps[-1]["difference_msat"] == 0


def test_the_demo_tells_programs_in_one_line_where_to_look(tmp_path):
    demo = start("demo", "--json", "--data", str(tmp_path), "--http", "127.0.0.1:0")
    facts = json.loads(demo.stdout.readline())
    for name in ("charge_point", "wallet", "owner"):
        assert get(facts[name])[0] == 200
    assert stop(demo) == ""


async def test_two_demos_that_start_at_once_take_ports_of_their_own(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as pages, socket.create_server(("127.0.0.1", 0)) as stations:
        taken = [Address(*one.getsockname(), or_free=True) for one in (pages, stations)]
        config = demo_config(replace(Config(), data=replace(Config().data, dir=tmp_path)), *taken)
        async with serving(config) as running:
            assert running.http_port != taken[0].port
            assert not running.stations_url.endswith(f":{taken[1].port}/ocpp")


def test_a_server_in_the_background_of_a_script_stops_while_it_starts(tmp_path):
    where = ("--data", str(tmp_path), "--http", "127.0.0.1:0", "--stations", "127.0.0.1:0")
    process = start("serve", *where, preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_IGN))
    while not (tmp_path / "commonwatt.sqlite").exists():
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=READY_S)
    assert (process.returncode, out) == (130, ""), err


def test_sigterm_ends_in_order(server):
    _, process, _ = server
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=READY_S)
    assert process.returncode == 0


def test_the_demo_stops_on_ctrl_c_and_goes_on_at_the_next_start(tmp_path):
    links = []
    for _ in range(2):
        demo = start("demo", "--data", str(tmp_path), "--http", "127.0.0.1:0")
        for line in demo.stdout:
            if "A charge point" in line:
                links.append(line.split()[-1])
            if "Ctrl-C stops" in line:
                break
        status, page = get(links[-1])
        assert status == 200
        assert b"Town hall" in page
        assert "goes on from here" in stop(demo)
    assert len(links) == 2

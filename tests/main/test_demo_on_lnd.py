"""`commonwatt demo --lnd` as a person runs it: two real nodes, paid from a second terminal, the change taken."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request

import psutil
import pytest
from tests.peers.lightning import require_lnd

from commonwatt.protocols.lnurl import encode_lnurl

COMMAND = [sys.executable, "-m", "commonwatt.main", "demo"]
PATIENCE_S = 120


def start(*arguments, **environment):
    env = {**os.environ, "LANG": "C.UTF-8", **environment}
    return subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)


def finish(process):
    out, err = process.communicate(timeout=PATIENCE_S)
    return process.returncode, out, err


def stop(process):
    process.send_signal(signal.SIGINT)
    code, out, err = finish(process)
    assert code == 130, err
    return out


def ready(process):
    """Wait for the welcome; return the address of its charge point."""
    found = ""
    for line in process.stdout:
        if "A charge point" in line:
            found = line.split()[-1]
        if "Ctrl-C stops" in line:
            return found
    pytest.fail(process.communicate()[1])


def living(data):
    """Return the programs of the practice network that still run."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or [""]
        if words[0].endswith(("/lnd", "/btcd")) and any(f"{data}/lnd" in word for word in words):
            found.append(words[0])
    return found


@pytest.mark.lnd
@pytest.mark.slow
def test_the_demo_takes_and_returns_money_over_two_real_nodes(tmp_path):
    require_lnd()
    here = ("--lnd", "--data", str(tmp_path))
    demo = start(*here, "--http", "127.0.0.1:0")
    try:
        site, _, name = ready(demo).rpartition("/c/")
        pay = encode_lnurl(f"{site}/lnurl/pay/{name}")
        code, out, err = finish(start(*here, "--pay", pay))
        assert code == 1, err
        assert "--sats" in err
        code, out, err = finish(start(*here, "--pay", pay, "--sats", "9000"))
        assert code == 0, err
        assert "Paid 9000000 msat." in out
        secret = out.strip().rpartition("/s/")[2]
        code, out, err = finish(start(*here, "--pay", encode_lnurl(f"{site}/lnurl/withdraw/{secret}")))
        assert code == 0, err
        received = int(out.split()[1])
        assert 0 < received < 9_000_000
        second = start(*here, "--http", "127.0.0.1:0")
        code, out, err = finish(second)
        assert code == 4, out
        assert "Another server uses this data" in err
        assert len(living(tmp_path)) == 3
        assert "goes on from here" in stop(demo)
        assert living(tmp_path) == []
        demo = start(*here, "--http", "127.0.0.1:0")
        site, _, name = ready(demo).rpartition("/c/")
        pay = encode_lnurl(f"{site}/lnurl/pay/{name}")
        wait_until_free(f"{site}/lnurl/pay/{name}")
        code, out, err = finish(start(*here, "--pay", pay, "--sats", "9000"))
        assert (code, "Paid 9000000 msat." in out) == (0, True), err
    finally:
        stop(demo)
    assert living(tmp_path) == []


def wait_until_free(url):
    """The car of before the restart still stands there until its driver fetches it."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        with urllib.request.urlopen(url, timeout=10) as answer:
            said = json.loads(answer.read())
        if said.get("tag") == "payRequest":
            return
        assert time.monotonic() < deadline, said
        time.sleep(0.5)


@pytest.mark.lnd
def test_ctrl_c_while_the_nodes_start_leaves_nothing_behind(tmp_path):
    require_lnd()
    demo = start("--lnd", "--data", str(tmp_path), "--http", "127.0.0.1:0")
    assert "Starting a chain" in demo.stdout.readline()
    while not living(tmp_path):
        assert demo.poll() is None
    demo.send_signal(signal.SIGINT)
    demo.communicate(timeout=PATIENCE_S)
    assert living(tmp_path) == []
    assert not (tmp_path / "lnd" / "pids.json").exists()


def test_without_the_nodes_it_says_how_to_get_them(tmp_path):
    empty = str(tmp_path / "peers")
    code, _, err = finish(start("--lnd", "--data", str(tmp_path / "data"), COMMONWATT_PEERS=empty))
    assert code == 3
    assert "make peers" in err
    assert "lnd and btcd" in err
    assert not (tmp_path / "data" / "lnd").exists()


@pytest.mark.parametrize("code", ["lnbcrt1nonsense", "LNURL1NONSENSE", "nobody", "https://localhost:1/lnurl"])
def test_a_code_that_leads_nowhere_is_refused(tmp_path, code):
    folder = tmp_path / "lnd"
    folder.mkdir()
    macaroon = folder / "macaroon"
    macaroon.write_bytes(b"\x01")
    facts = {"url": "https://127.0.0.1:9", "macaroon_path": str(macaroon), "tls_cert_path": str(macaroon)}
    (folder / "driver.json").write_text(json.dumps(facts))
    status, _, err = finish(start("--lnd", "--data", str(tmp_path), "--pay", code))
    assert status != 0
    assert "Traceback" not in err
    assert err.strip()


def test_paying_needs_a_running_demo(tmp_path):
    code, _, err = finish(start("--lnd", "--data", str(tmp_path), "--pay", "lnbcrt1"))
    assert code == 4
    assert "Start" in err
    assert "demo --lnd" in err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--pay", "lnbcrt1"), "--pay needs --lnd"),
        (("--sats", "5"), "--sats says how much"),
        (("--walk", "--lnd"), "--walk"),
        (("--lnd", "--pay", "x", "--sats", "0"), "--sats"),
    ],
)
def test_options_that_make_no_sense_together_are_refused(words, says):
    code, _, err = finish(start(*words))
    assert code != 0
    assert says in err

"""Commands find the running server by what it wrote beside its data, whatever port it got."""

import fcntl
import json
import os
import threading
from dataclasses import replace

import pytest
from tests.main.terminal import run

from commonwatt.kit.running import (
    LOCK,
    DataInUse,
    Running,
    find_running,
    note_running,
    only_server,
    reachable,
    server_runs,
)

HERE = Running("http://localhost:41234", "http://127.0.0.1:9", "ws://127.0.0.1:41235/ocpp")


@pytest.fixture
def running(data):
    with only_server(data) as lock:
        note_running(lock, HERE)
        yield data


def test_the_owners_link_leads_to_the_running_server(running, capsys):
    assert run("owner", "link", "--data", running) == 0
    said = capsys.readouterr().out
    assert said.startswith("http://localhost:41234/")
    assert "No server runs" not in said


def test_without_a_server_the_link_says_so(data, capsys):
    assert run("owner", "link", "--data", data) == 0
    assert "No server runs over this data now" in " ".join(capsys.readouterr().out.split())


def test_the_doctor_knows_where_it_listens(running, capsys):
    run("doctor", "--offline", "--json", "--data", running)
    said = json.dumps(json.loads(capsys.readouterr().out))
    assert "http://localhost:41234" in said
    assert "8080" not in said


@pytest.mark.parametrize(
    "words",
    [
        ("station", "send", "CP-1", "ClearCache", "--token", "t"),
        ("session", "stop", "0198c0de-0000-7000-8000-000000000000", "--yes", "--token", "t"),
        ("wallet", "balance"),
    ],
)
def test_commands_go_to_the_running_server(words, running, capsys):
    assert run(*words, "--data", running) == 4
    assert "http://127.0.0.1:9" in " ".join(capsys.readouterr().err.split())
    assert run(*words, "--data", running, "--server", "http://127.0.0.1:7/") == 4
    assert "http://127.0.0.1:7" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    "words",
    [
        ("station", "send", "CP-1", "ClearCache", "--token", "t"),
        ("session", "stop", "0198c0de-0000-7000-8000-000000000000", "--yes", "--token", "t"),
        ("wallet", "history"),
        ("wallet", "pay", "lnbc1", "--yes"),
    ],
)
def test_without_a_server_over_the_data_nobody_elses_is_asked(words, data, capsys, monkeypatch):
    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: pytest.fail("somebody was asked"))
    assert run(*words, "--data", data) == 4
    said = " ".join(capsys.readouterr().err.split())
    assert f"No server runs over {data}. Start one with commonwatt serve --data {data}" in said
    with only_server(data):
        assert run(*words, "--data", data) == 4
    assert "is starting and does not answer yet" in " ".join(capsys.readouterr().err.split())


def test_the_doctor_believes_the_running_server_not_the_settings(data, capsys):
    everywhere = ".".join("0000")
    heard = replace(HERE, http_bind="127.0.0.1:41234", stations_bind=f"{everywhere}:41235")
    with only_server(data) as lock:
        note_running(lock, heard)
        assert find_running(data) == heard
        run("doctor", "--offline", "--data", data)
        assert "Only this machine reaches" not in " ".join(capsys.readouterr().out.split())
        note_running(lock, replace(heard, stations_bind="127.0.0.1:41235"))
        run("doctor", "--offline", "--data", data)
        said = " ".join(capsys.readouterr().out.split())
    assert "Only this machine reaches the stations' address, 127.0.0.1:41235." in said


@pytest.mark.parametrize(
    "words", [("--url", "http://127.0.0.1:7", "balance"), ("balance", "--url", "http://127.0.0.1:7")]
)
def test_the_wallets_old_names_still_work(words, data, capsys, monkeypatch):
    assert run("wallet", *words, "--data", data) == 4
    assert "127.0.0.1:7" in capsys.readouterr().err
    monkeypatch.setenv("COMMONWATT_URL", "http://127.0.0.1:11")
    assert run("wallet", *words, "--data", data) == 4
    assert "127.0.0.1:7" in capsys.readouterr().err
    assert run("wallet", "balance", "--data", data) == 4
    assert "127.0.0.1:11" in capsys.readouterr().err
    assert run("wallet", "balance", "--data", data, "--server", "file:///etc/passwd") == 2
    assert "must begin with http:// or https://" in capsys.readouterr().err


def test_no_answer_is_told_in_words(running, capsys):
    assert run("wallet", "balance", "--data", running) == 4
    assert "No answer from http://127.0.0.1:9: connection refused." in " ".join(capsys.readouterr().err.split())
    assert run("station", "send", "CP-1", "ClearCache", "--token", "t", "--data", running) == 4
    said = " ".join(capsys.readouterr().err.split())
    assert "does not answer: connection refused." in said
    assert "urlopen" not in said


def test_a_token_that_is_missing_is_told_how_to_make(running, capsys, monkeypatch):
    monkeypatch.delenv("COMMONWATT_TOKEN", raising=False)
    assert run("station", "send", "CP-1", "ClearCache", "--data", running) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "commonwatt token create NAME --scope stations:command" in said


def test_what_a_killed_server_left_behind_counts_for_nothing(data):
    (data / LOCK).write_text("1\npages http://x\napi http://y\nstations ws://z\n")
    assert find_running(data) is None


def test_who_only_looks_keeps_no_server_from_starting(data):
    with (data / LOCK).open("a+") as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        done = threading.Timer(0.1, fcntl.flock, (looking, fcntl.LOCK_UN))
        done.start()
        with only_server(data):
            assert server_runs(data)
        done.join()


def test_nobody_else_reads_where_a_server_runs(data):
    before = os.umask(0o022)
    try:
        with only_server(data):
            assert (data / LOCK).stat().st_mode & 0o777 == 0o600
    finally:
        os.umask(before)


def test_a_second_server_is_kept_away(data):
    with only_server(data), pytest.raises(DataInUse, match="Stop it first"), only_server(data):
        pytest.fail("two servers over one directory")


@pytest.mark.parametrize("text", ["", "1\n", "1\npages\n", "1\nnonsense \x00\napi x\n" * 99])
def test_a_server_that_does_not_answer_yet_or_wrote_nonsense(data, text):
    with only_server(data):
        (data / LOCK).write_text(text)
        assert find_running(data) is None
    assert find_running(data / "nowhere") is None


@pytest.mark.parametrize(
    ("bound", "called"),
    [(".".join("0000"), "127.0.0.1"), ("", "127.0.0.1"), ("::", "[::1]"), ("::1", "[::1]"), ("10.0.0.7", "10.0.0.7")],
)
def test_what_listens_everywhere_is_reached_here(bound, called):
    assert reachable(bound) == called

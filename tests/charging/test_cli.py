"""`commonwatt session` over a data directory and over a running server."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import click
import pytest
from msgspec.structs import replace

from commonwatt.charging import store
from commonwatt.charging.actions.keep_tags import add_tag, remove_tag
from commonwatt.charging.actions.withhold_change import withhold_change
from commonwatt.charging.charge import Charge, Kind, Progress
from commonwatt.charging.cli import session
from commonwatt.charging.errors import NoSuchSession
from commonwatt.charging.model.session import Session, Status
from commonwatt.charging.showing import shown_session
from commonwatt.kit.cli import NotConfirmed, Program
from commonwatt.kit.cli.server import ServerRefused, ServerUnreachable
from commonwatt.kit.database import Database, create_tables, open_engine
from commonwatt.kit.web import to_json
from commonwatt.members import TERMINAL

ENDED = Session(
    Status.ENDED, paid_msat=5_000_000, cost_msat=1_234_567, billed_msat=1_234_567, energy_wh=4321, billed=True
)


def keep(work, session: Session, station: str = "CP-1", **more) -> str:
    """Store one session as the feature does and return its id."""
    charge_id = work.new_id()
    charge = Charge(
        charge_id, f"secret-{charge_id}", Kind.PREPAID, station, 1, "tag", "version", None, work.now, Progress(session)
    )
    charge = replace(charge, **more)
    store.insert_charge(work, charge)
    store.save_charges(work, [charge])
    return charge_id


@pytest.fixture
def program(tmp_path, clock, ids):
    create_tables(open_engine(tmp_path / "db.sqlite"))
    return Program(lambda _: None, lambda _config, _only: Database(open_engine(tmp_path / "db.sqlite"), clock, ids))


@pytest.fixture
def run(program, capsys):
    def run(*words):
        program.as_json = program.yes = False
        session.main(list(words), obj=program, standalone_mode=False)
        return capsys.readouterr().out

    return run


def test_an_empty_list_says_what_to_do(run):
    assert "commonwatt demo" in run("list")
    assert json.loads(run("list", "--json")) == {"items": [], "next_cursor": None}


def test_sessions_are_listed_filtered_and_paged(run, program, clock):
    ended = program.write(keep, ENDED)
    clock.step(seconds=1)
    charging = program.write(keep, Session(Status.CHARGING, paid_msat=2_000_000), "CP-2", began=program_now(program))
    assert [one["id"] for one in json.loads(run("list", "--json"))["items"]] == [charging, ended]
    assert [one["id"] for one in json.loads(run("list", "--json", "--station", "CP-1"))["items"]] == [ended]
    assert [one["id"] for one in json.loads(run("list", "--json", "--status", "charging"))["items"]] == [charging]
    assert [one["id"] for one in json.loads(run("list", "--json", "--owed"))["items"]] == [ended]
    first = json.loads(run("list", "--json", "--limit", "1"))
    assert first["next_cursor"] == charging
    rest = json.loads(run("list", "--json", "--limit", "1", "--cursor", charging))
    assert [one["id"] for one in rest["items"]] == [ended]
    assert rest["next_cursor"] is None
    assert "2020-01" not in run("list", "--to", "2020-01-01")


def test_the_list_fits_eighty_columns(run, program):
    program.write(keep, replace(ENDED, paid_msat=99_999_999, energy_wh=123_456), "STATION-01")
    assert max(map(len, run("list").splitlines())) <= 80


def test_the_list_tells_the_year_and_the_zone(run, program, clock):
    program.write(keep, ENDED)
    assert f"{clock.now().iso()[:16].replace('T', ' ')}Z" in run("list")


def test_the_list_has_the_cost_and_every_msat_that_is_owed(run, program):
    program.write(keep, ENDED, gross_units=825_650)
    listed = run("list")
    assert "0.83 EUR" in listed
    assert "3765.433" in listed


def test_nothing_owed_is_said_so(run):
    assert "Nothing is owed" in run("list", "--owed")
    assert "No session matches" in run("list", "--station", "CP-9")


def test_a_charge_on_account_says_whose(run, program):
    tag_id = program.write(add_tag, "04A2B3", "Bakery")
    charge_id = program.write(keep, Session(Status.CHARGING), kind=Kind.LOCAL, tag_id=tag_id, id_tag="04A2B3")
    story = run("show", charge_id)
    assert "on account of Bakery, with the tag 04A2B3" in story
    assert f"member:{tag_id}" in story
    shown = json.loads(run("show", charge_id, "--json"))
    assert (shown["holder"], shown["account"]) == ("Bakery", f"member:{tag_id}")
    assert json.loads(run("list", "--search", "bakery", "--json"))["items"][0]["holder"] == "Bakery"
    program.write(remove_tag, "04A2B3")
    assert "on account of somebody whose tag was removed" in run("show", charge_id)


def test_a_session_is_shown_by_the_end_of_its_id(run, program):
    charge_id = program.write(keep, ENDED)
    story = run("show", charge_id[-8:])
    assert "1234.567 sat" in story
    assert "3765.433 sat" in story
    shown = json.loads(run("show", charge_id, "--json"))
    assert shown["owed"]["units"] == 5_000_000 - 1_234_567
    assert shown["claims"] == []


def test_a_session_is_told_as_by_the_api_and_whose_it_is(run, program):
    charge_id = program.write(keep, ENDED, address="ada@wallet.example", rate_id="rate-1")
    charge = program.read(store.charge_by_id, charge_id)
    api = json.loads(to_json(shown_session(charge, TERMINAL)))
    more = {"holder": None, "account": f"session:{charge_id}"}
    assert json.loads(run("list", "--json"))["items"] == [{**api, **more}]
    assert json.loads(run("show", charge_id, "--json")) == {**api, **more, "claims": []}
    assert (api["id_tag"], api["address"], api["rate_id"], api["power_w"]) == ("tag", "ada@wallet.example", "rate-1", 0)


@pytest.mark.parametrize("name", ["0198c0de-0000-7000-8000-000000000000", "short", "%%%%%%%%"])
def test_an_unknown_session_is_missing(run, name):
    with pytest.raises(NoSuchSession, match="session list"):
        run("show", name)


def test_a_moment_is_read_strictly(run):
    with pytest.raises(click.BadParameter, match="no instant"):
        run("list", "--from", "yesterday")


class Server(BaseHTTPRequestHandler):
    """Stands for the running server; answers what `reply` says and remembers what it was asked."""

    reply = (200, {"status": "stopping"})
    asked: list

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        type(self).asked.append((self.path, self.headers["Authorization"]))
        body = json.dumps(self.reply[1]).encode()
        self.send_response(self.reply[0])
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words):
        pass


@pytest.fixture
def server():
    Server.asked, Server.reply = [], (200, {"status": "stopping"})
    http = HTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{http.server_port}"
    http.shutdown()
    http.server_close()
    thread.join()


def test_stopping_asks_the_running_server(run, program, server):
    charge_id = program.write(keep, ENDED)
    told = run("stop", charge_id[-8:], "--server", server, "--token", "cw_x", "--yes")
    assert "stopping" in told
    assert Server.asked == [(f"/api/v1/sessions/{charge_id}/stop", "Bearer cw_x")]


def test_stopping_tells_the_servers_refusal(run, server):
    Server.reply = (409, {"title": "This session is over", "detail": "There is nothing to stop."})
    with pytest.raises(ServerRefused, match="nothing to stop"):
        run("stop", "0198c0de-0000-7000-8000-000000000000", "--server", server, "--token", "cw_x", "--yes")


def test_a_servers_odd_answer_is_a_refusal_too(run, server):
    Server.reply = (500, ["not", "a", "problem"])
    with pytest.raises(ServerRefused, match="status 500"):
        run("stop", "0198c0de-0000-7000-8000-000000000000", "--server", server, "--token", "cw_x", "--yes")


def test_nobody_stops_by_accident_or_at_nobody(run):
    charge_id = "0198c0de-0000-7000-8000-000000000000"
    with pytest.raises(NotConfirmed):
        run("stop", charge_id, "--token", "cw_x")
    with pytest.raises(ServerUnreachable, match="commonwatt serve"):
        run("stop", charge_id, "--server", "http://127.0.0.1:9", "--token", "cw_x", "--yes")
    with pytest.raises(click.BadParameter, match="http"):
        run("stop", charge_id, "--server", "ftp://host", "--token", "cw_x", "--yes")


def program_now(program):
    return program.write(lambda work: work.now)


def test_withheld_change_is_listed_and_released(run, program):
    first, second, third = (program.write(keep, ENDED) for _ in range(3))
    program.write(withhold_change)
    listed = run("list", "--owed")
    assert listed.count("3765.433*") == 3
    assert "commonwatt session release" in " ".join(listed.split())
    assert max(map(len, listed.splitlines())) <= 80
    assert "withheld, for a backup was restored" in " ".join(run("show", first).split())
    with pytest.raises(NotConfirmed, match="may have been paid"):
        run("release", first)
    assert "withheld" in run("show", first)
    assert "3765.433 sat released" in run("release", first[-8:], first, "--yes")
    assert "Nothing of this is withheld" in run("release", first, "--yes")
    told = json.loads(run("release", "--all", "--yes", "--json"))
    assert [(one["id"], one["withheld"]) for one in told["items"]] == [(second, None), (third, None)]
    assert json.loads(run("release", "--all", "--yes", "--json"))["items"] == []


@pytest.mark.parametrize("words", [(), ("--all", "0198c0de")])
def test_releasing_asks_which_ones(run, words):
    with pytest.raises(click.UsageError, match="--all"):
        run("release", *words)

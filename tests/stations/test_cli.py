"""`commonwatt station` on a data directory, and `send` against a server that answers in every way."""

import http.server
import json
import threading
from types import SimpleNamespace

import pytest
from tests.conftest import declare_tables

from commonwatt.kernel import RandomIds
from commonwatt.kit.cli import Program, run_group
from commonwatt.kit.cli.lazy import LazyGroup
from commonwatt.kit.clock import SystemClock
from commonwatt.kit.database import Database, create_tables, open_engine
from commonwatt.stations.cli import station


@pytest.fixture
def run(tmp_path, capsys):
    declare_tables()
    path = tmp_path / "db.sqlite"
    engine = open_engine(path)
    create_tables(engine)
    engine.dispose()

    def open_database(_config, _read_only):
        return Database(open_engine(path), SystemClock(), RandomIds())

    bind = SimpleNamespace(host="0.0.0.0", port=8180)  # noqa: S104 (nothing listens)
    told = SimpleNamespace(tls_certificate=None, public_url="", bind=bind, auth="required")
    http = SimpleNamespace(tls_certificate=None, bind=SimpleNamespace(port=8080))
    site = SimpleNamespace(base_url="https://charge.example")
    config = SimpleNamespace(data=SimpleNamespace(dir=tmp_path), stations=told, http=http, site=site)
    root = LazyGroup("commonwatt", commands={"station": station})

    def run(*words):
        code = run_group(root, ["station", *words], Program(lambda _overrides: config, open_database))
        said = capsys.readouterr()
        return code, said.out + said.err

    return run


def test_stations_are_added_listed_admitted_and_rejected(run):
    code, said = run("add", "CP-1", "--name", "Garage", "--json")
    assert code == 0
    assert len(json.loads(said)["password"]) == 20
    assert run("add", "CP-1")[0] != 0
    assert run("reject", "CP-1")[0] == 0
    assert "rejected" in run("list", "--state", "rejected")[1]
    assert run("admit", "CP-1")[0] == 0
    listed = json.loads(run("list", "--json")[1])
    assert listed["next_cursor"] is None
    assert listed["items"][0]["made"].endswith("Z")
    listed = listed["items"]
    assert [(row["identity"], row["state"], row["has_password"]) for row in listed] == [("CP-1", "admitted", True)]
    assert "shown this once" in run("password", "CP-1")[1]


def test_who_is_let_in_without_a_password_is_told_to_need_one(run):
    assert "password" in run("add", "CP 2", "--no-password", "--json")[1]
    run("reject", "CP 2")
    for words in (("add", "CP-1", "--no-password"), ("admit", "CP 2")):
        code, said = run(*words)
        assert code == 0
        assert "has no password" in said
        assert "may connect now" not in said
        assert "and the password" not in said
    assert "commonwatt station password 'CP 2'" in " ".join(run("admit", "CP 2")[1].split())


def test_a_space_inside_an_identity_is_one_at_an_end_is_none(run):
    assert run("add", "CP 1")[0] == 0
    code, said = run("add", "CP 1 ")
    assert code != 0
    assert "spaces inside" in " ".join(said.split())


def test_the_list_comes_in_pages(run):
    for name in ("A", "B", "C"):
        run("add", name)
    first = json.loads(run("list", "--limit", "2", "--json")[1])
    assert first["next_cursor"] == "B"
    rest = json.loads(run("list", "--cursor", "B", "--json")[1])
    assert [row["identity"] for row in rest["items"]] == ["C"]
    assert "--cursor B" in run("list", "--limit", "2")[1]
    code, said = run("list", "--cursor", "xx")
    assert (code, "'xx' is no station's identity" in said) == (2, True)


def test_adding_says_where_to_connect(run):
    assert "ws://charge.example:8180/ocpp/CP-1" in run("add", "CP-1")[1], "the same as the page says"


def test_a_station_is_removed_only_after_a_question(run):
    run("add", "CP-1")
    code, said = run("remove", "CP-1")
    assert (code, "--yes" in said) == (1, True)
    assert run("remove", "CP-1", "--yes")[0] == 0
    assert json.loads(run("list", "--json")[1])["items"] == []
    code, said = run("remove", "CP-1", "--yes")
    assert (code, "No station is called CP-1" in said) == (3, True)


def test_an_empty_list_says_what_to_do(run):
    assert "station add" in run("list")[1]


def test_acts_on_nobody_say_so(run):
    code, said = run("admit", "NOBODY")
    assert code != 0
    assert "No station is called NOBODY" in said


@pytest.fixture
def server():
    class Answering(http.server.BaseHTTPRequestHandler):
        status, body, seen = 200, {"result": {"status": "Accepted"}}, []

        def do_POST(self):
            given = self.rfile.read(int(self.headers["Content-Length"]))
            self.seen.append((self.path, self.headers["Authorization"], json.loads(given)))
            self.send_response(self.status)
            self.end_headers()
            self.wfile.write(json.dumps(self.body).encode())

        def log_message(self, *_):
            pass

    listening = http.server.HTTPServer(("127.0.0.1", 0), Answering)
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    Answering.seen = []
    Answering.url = f"http://127.0.0.1:{listening.server_port}"
    yield Answering
    listening.shutdown()
    listening.server_close()


def test_a_token_that_the_server_does_not_know_is_told_how_to_make(run, server):
    server.status = 401
    server.body = {"slug": "not-signed-in", "title": "Sign in first", "detail": "This token is not valid."}
    code, said = run("send", "CP-1", "Reset", "--server", server.url, "--token", "cw_x")
    assert code == 1
    assert "commonwatt token create NAME --scope stations:command" in " ".join(said.split())
    assert "browser" not in said


def test_a_command_goes_through_the_running_server(run, server):
    code, said = run("send", "CP 1", "Reset", '{"type":"Soft"}', "--server", server.url, "--token", "cw_x")
    assert code == 0
    assert json.loads(said) == {"status": "Accepted"}
    assert server.seen == [("/api/v1/stations/CP%201/commands/Reset", "Bearer cw_x", {"type": "Soft"})]


def test_a_problem_of_the_server_is_told(run, server):
    server.status, server.body = 504, {"title": "No answer from the station", "detail": "It is unknown."}
    code, said = run("send", "CP-1", "ClearCache", "--server", server.url, "--token", "cw_x")
    assert code != 0
    assert "No answer from the station: It is unknown." in said


def test_a_problem_that_is_known_is_told_as_the_server_s_own(run, server):
    server.status = 503
    server.body = {"slug": "station-offline", "title": "The station is offline", "detail": "CP-1 has no connection."}
    words = ("send", "CP-1", "ClearCache", "--server", server.url, "--token", "cw_x")
    code, said = run(*words)
    assert code == 4
    assert said.startswith("The station is offline.\nCP-1 has no connection.")
    assert "What to do" in said
    told = json.loads(run(*words, "--json")[1])
    assert (told["slug"], told["title"]) == ("station-offline", "The station is offline")


@pytest.mark.parametrize(
    ("status", "code"), [(409, 1), (422, 1), (403, 1), (404, 3), (500, 5), (502, 1), (503, 4), (504, 4)]
)
def test_the_exit_code_tells_what_kind_of_problem_it_was(run, server, status, code):
    server.status, server.body = status, {"title": "No", "detail": "It said no."}
    assert run("send", "CP-1", "ClearCache", "--server", server.url, "--token", "cw_x")[0] == code


def test_an_answer_against_the_standard_is_shown(run, server):
    answer = '{"status":"Perhaps"}'
    server.status, server.body = 502, {"title": "An answer against the standard", "detail": "It.", "answer": answer}
    _, said = run("send", "CP-1", "ClearCache", "--json", "--server", server.url, "--token", "cw_x")
    assert json.loads(said)["answer"] == answer


def test_a_server_that_is_down_is_named(run, server):
    code, said = run("send", "CP-1", "ClearCache", "--server", "http://127.0.0.1:1", "--token", "cw_x")
    assert code != 0
    assert "commonwatt serve" in said


@pytest.mark.parametrize("words", [("{",), ("{}", "--server", "file:///etc/passwd")])
def test_what_cannot_be_sent_is_refused_before(run, words):
    code, _ = run("send", "CP-1", "ClearCache", *words, "--token", "cw_x")
    assert code != 0

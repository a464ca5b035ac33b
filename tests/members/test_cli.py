"""People and tokens from the terminal, in words and in JSON."""

import json
from types import SimpleNamespace

import pytest

from commonwatt.kit.cli import Program
from commonwatt.kit.database import Database, create_tables, open_engine
from commonwatt.members import lists
from commonwatt.members.actions.invite_member import find_invitation
from commonwatt.members.cli import BadSpan, member, owner, read_span, token
from commonwatt.members.secrets import digest


@pytest.fixture
def program(tmp_path, clock, ids):
    create_tables(open_engine(tmp_path / "db.sqlite"))
    config = SimpleNamespace(
        data=SimpleNamespace(dir=tmp_path),
        site=SimpleNamespace(base_url=""),
        http=SimpleNamespace(bind=SimpleNamespace(port=8080), tls_certificate=None),
    )
    return Program(
        lambda _: config, lambda _config, _read_only: Database(open_engine(tmp_path / "db.sqlite"), clock, ids)
    )


@pytest.fixture
def run(program, capsys):
    def run(group, *words):
        program.as_json = False
        group.main(list(words), obj=program, standalone_mode=False)
        return capsys.readouterr().out

    return run


def test_tokens_are_made_listed_and_revoked(run, program, clock):
    assert "Make one" in run(token, "list")
    made = json.loads(run(token, "create", "ci", "--scope", "stations:read,books:read", "--expires", "1h", "--json"))
    assert made["expires"] == "2026-05-01T13:00:00.000Z"
    assert program.read(lists.find_by_token, digest(made["token"]), clock.now(), "")[0].may("books:read")
    listed = run(token, "list")
    assert "ci" in listed
    assert made["token"] not in listed
    run(token, "revoke", made["id"])
    assert "ci" not in run(token, "list")
    assert run(token, "create", "all", "--scope", "*", "--expires", "never").startswith("cw_")


def test_links_open_the_site(run, program):
    link = json.loads(run(owner, "link", "--json"))["link"]
    assert link.startswith("http://localhost:8080/setup/")
    assert program.write(find_invitation, link.rsplit("/", 1)[1]).role == "owner"
    assert "Nobody yet" in run(member, "list")
    assert "http://localhost:8080/invitation/" in run(member, "invite", "Bob", "--role", "auditor", "--expires", "2d")
    with pytest.raises(BadSpan):
        run(member, "invite", "Bob", "--expires", "never")


@pytest.mark.parametrize(("text", "seconds"), [("90d", 7776000), ("12h", 43200), ("30m", 1800), ("never", None)])
def test_spans(text, seconds):
    assert read_span(text) == seconds


@pytest.mark.parametrize("text", ["", "d", "0d", "-1d", "1.5h", "9999999d", "1 d", "\u0661d", "forever"])
def test_other_spans_are_refused(text):
    with pytest.raises(BadSpan):
        read_span(text)

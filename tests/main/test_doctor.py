"""The doctor finds what is wrong, and says what to do."""

import dataclasses
import json
import socket
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from commonwatt.kit.cli import run_group
from commonwatt.kit.database import open_engine
from commonwatt.kit.running import only_server
from commonwatt.main import examining
from commonwatt.main.cli import commonwatt, new_program
from commonwatt.main.config import Address, Config, Data, Http, Lnd, Payments, Rates, Site, StationAuth, Stations
from commonwatt.main.doctor import Verdict, _text, examine
from commonwatt.main.migrations import migrate
from commonwatt.main.opening import open_database

EVERYWHERE = ".".join("0000")


@pytest.fixture
def config(tmp_path):
    tmp_path.chmod(0o700)
    free = Address("127.0.0.1", 0)
    return Config(data=Data(dir=tmp_path), http=Http(bind=free), stations=Stations(bind=free))


@pytest.fixture
def tables(config):
    engine = open_engine(config.data.database)
    migrate(engine)
    engine.dispose()


def verdicts(findings, subject):
    return [finding.verdict for finding in findings if finding.subject == subject]


def test_an_empty_machine_is_ready_for_a_first_start(config):
    findings = list(examine(config, network=False))
    wrong = [finding for finding in findings if finding.verdict is Verdict.BAD and finding.subject != "pages"]
    assert wrong == []


def test_files_that_other_users_may_read_are_found(config, tables, tmp_path):
    assert verdicts(examining.look_at_data(config), "data") == [Verdict.GOOD]
    key = tmp_path / "keys" / "the key.pem"
    key.parent.mkdir()
    key.touch()
    for path in (config.data.database, key):
        path.chmod(0o644)
    told = dataclasses.replace(config, http=dataclasses.replace(config.http, tls_key=key))
    (finding,) = [one for one in examining.look_at_data(told) if one.verdict is Verdict.DOUBTFUL]
    assert finding.todo == f"chmod o-rwx {config.data.database} '{key}'"


def test_a_working_database(config, tables):
    findings = list(examining.look_at_database(config))
    assert verdicts(findings, "database") == [Verdict.GOOD]
    assert verdicts(findings, "books") == [Verdict.GOOD]


def test_a_database_without_tables(config):
    open_engine(config.data.database).connect().close()
    assert verdicts(examining.look_at_database(config), "database") == [Verdict.BAD]


def test_a_damaged_database(config, tables):
    content = bytearray(config.data.database.read_bytes())
    content[5000:9000] = b"\xff" * 4000
    config.data.database.write_bytes(content)
    (finding,) = examining.look_at_database(config)
    assert finding.verdict is Verdict.BAD
    assert "restore the last backup" in finding.todo


def test_books_jobs_and_a_clock_that_was_set_back(config, tables):
    with sqlite3.connect(config.data.database) as raw:
        raw.execute(
            "insert into books_account (name, asset, kind, balance_units) values ('revenue', 'BTC', 'revenue', 1)"
        )
        ahead = int((datetime.now(UTC) + timedelta(hours=1)).timestamp() * 1000)
        raw.execute(
            "insert into outbox (kind, payload, state, made_ms, due_ms) values ('x', '{}', 'dead', ?, 0)", (ahead,)
        )
    raw.close()
    findings = list(examining.look_at_database(config))
    assert verdicts(findings, "books") == [Verdict.BAD]
    assert verdicts(findings, "jobs") == [Verdict.DOUBTFUL]
    assert verdicts(findings, "clock") == [Verdict.BAD]
    database = open_database(config, True)
    database.close()


def test_a_folder_that_cannot_be_written_to(config, monkeypatch):
    monkeypatch.setattr("os.access", lambda *_: False)
    (finding,) = examining.look_at_data(config)
    assert finding.verdict is Verdict.BAD


@pytest.mark.parametrize(
    ("free", "verdict"), [(1 << 20, Verdict.BAD), (1 << 30, Verdict.DOUBTFUL), (1 << 40, Verdict.GOOD)]
)
def test_room_on_the_disk(config, monkeypatch, free, verdict):
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": free}))
    assert verdicts(examining.look_at_data(config), "room") == [verdict]


def test_others_can_read_the_keys(config, tmp_path):
    tmp_path.chmod(0o755)
    assert Verdict.DOUBTFUL in verdicts(examining.look_at_data(config), "data")


def test_a_port_that_is_taken(config):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        busy = dataclasses.replace(config, http=Http(bind=Address("127.0.0.1", taken.getsockname()[1])))
        taken_port, free_port = examining.look_at_ports(busy)
    assert (taken_port.verdict, free_port.verdict) == (Verdict.DOUBTFUL, Verdict.GOOD)
    assert "address already in use" in taken_port.what
    assert "a server over other data" in taken_port.todo


def test_a_port_that_this_machine_does_not_have(config):
    far = dataclasses.replace(config, http=Http(bind=Address("192.0.2.1", 8080)))
    assert verdicts(examining.look_at_ports(far), "ports") == [Verdict.BAD, Verdict.GOOD]


def test_our_own_server_may_have_the_ports(config, tmp_path):
    with only_server(tmp_path):
        assert [finding.what for finding in examining.look_at_ports(config)] == ["A server runs over this data."]
    assert verdicts(examining.look_at_ports(config), "ports") == [Verdict.GOOD, Verdict.GOOD]


def test_a_database_of_another_version(config, tables):
    with sqlite3.connect(config.data.database) as raw:
        raw.execute("update alembic_version set version_num = '9999'")
    raw.close()
    (finding,) = examining.look_at_database(config)
    assert finding.verdict is Verdict.BAD
    assert "9999" in finding.what
    assert "newer than this version" in finding.what
    assert "serve" not in finding.todo
    with sqlite3.connect(config.data.database) as raw:
        raw.execute("update alembic_version set version_num = '0001'")
    raw.close()
    (finding,) = examining.look_at_database(config)
    assert finding.verdict is Verdict.BAD
    assert "older than this version" in finding.what
    assert "commonwatt serve" in finding.todo


@pytest.mark.parametrize(
    ("url", "bind", "verdict"),
    [
        ("http://charge.example", "127.0.0.1", Verdict.BAD),
        ("https://charge.example", EVERYWHERE, Verdict.GOOD),
        ("http://localhost:8080", "127.0.0.1", Verdict.GOOD),
        ("http://127.0.0.1:8080", "127.0.0.1", Verdict.DOUBTFUL),
        ("", EVERYWHERE, Verdict.DOUBTFUL),
    ],
)
def test_the_address_that_people_are_given(config, url, bind, verdict):
    changed = dataclasses.replace(config, site=Site(base_url=url), http=Http(bind=Address(bind, 8080)))
    assert verdicts(examining.look_at_addresses(changed), "address") == [verdict]


@pytest.mark.parametrize(
    ("bind", "public", "verdict"),
    [
        ("127.0.0.1", "", [Verdict.DOUBTFUL]),
        ("127.0.0.1", "wss://charge.example", []),
        (EVERYWHERE, "", []),
    ],
)
def test_stations_elsewhere_that_cannot_reach_us(config, bind, public, verdict):
    changed = dataclasses.replace(config, stations=Stations(bind=Address(bind, 8180), public_url=public))
    assert verdicts(examining.look_at_addresses(changed), "stations") == verdict


def test_stations_without_a_password_on_an_open_line(config):
    stations = Stations(bind=Address(EVERYWHERE, 0), auth=StationAuth.OPEN_FOR_TRIAL)
    findings = examining.look_at_addresses(dataclasses.replace(config, stations=stations))
    assert verdicts(findings, "stations") == [Verdict.DOUBTFUL]


@pytest.mark.parametrize(
    ("days", "verdict"), [(-1, Verdict.BAD), (3, Verdict.DOUBTFUL), (90, Verdict.GOOD), (None, Verdict.BAD)]
)
def test_certificates(config, tmp_path, days, verdict):
    file = tmp_path / "tls.pem"
    file.write_bytes(b"nonsense" if days is None else certificate(days))
    changed = dataclasses.replace(config, http=Http(tls_certificate=file, tls_key=file))
    assert verdicts(examining.look_at_addresses(changed), "tls") == [verdict]


def certificate(days):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "charge.example")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=100)).not_valid_after(now + timedelta(days=days, hours=1))
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def test_a_node_that_does_not_answer(config):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    lnd = Lnd(url=f"https://127.0.0.1:{port}", macaroon_hex="00ff")
    real = dataclasses.replace(config, payments=Payments(rails=("lnd",)), lnd=lnd)
    assert verdicts(examining.look_at_rails(real), "rails") == [Verdict.BAD]
    assert verdicts(examining.look_at_rails(config), "rails") == [Verdict.DOUBTFUL]


def test_a_fixed_price_is_for_play_money_only(config):
    assert verdicts(examining.look_at_rates(config), "rates") == [Verdict.GOOD]
    real = dataclasses.replace(config, payments=Payments(rails=("lnd",)), rates=Rates(fixed="1.00"))
    assert verdicts(examining.look_at_rates(real), "rates") == [Verdict.BAD]


def test_sources_of_rates_that_are_silent(config, monkeypatch):
    class Silent:
        name = "kraken"

        async def fetch(self, _currency):
            from commonwatt.kernel import Unknown

            return Unknown("no answer")

        async def close(self):
            pass

    monkeypatch.setattr(examining, "open_sources", lambda *_: (Silent(),))
    real = dataclasses.replace(config, payments=Payments(rails=("lnd",)))
    assert verdicts(examining.look_at_rates(real), "rates") == [Verdict.DOUBTFUL, Verdict.BAD]


def test_a_check_that_fails_itself_is_a_finding(config, monkeypatch):
    def look_at_nothing(_config):
        raise ZeroDivisionError
        yield

    monkeypatch.setattr(examining, "HERE", (look_at_nothing,))
    (finding,) = examine(config, network=False)
    assert (finding.subject, finding.verdict) == ("nothing", Verdict.BAD)


def test_what_a_rail_refuses_is_told_with_its_advice(config):
    lnd = Lnd(url="https://127.0.0.1:9", macaroon_path=Path("/nowhere/at/all"))
    real = dataclasses.replace(config, payments=Payments(rails=("lnd",)), lnd=lnd)
    (finding,) = [one for one in examine(real, network=True) if one.subject == "rails"]
    assert "nowhere" in finding.what
    assert "NodeSettingsRefused" not in finding.what
    assert finding.todo
    assert finding.todo != "Report this."
    assert "](" not in finding.todo
    assert max(map(len, _text([finding]).splitlines())) <= 80


def test_the_command(tmp_path, capsys, monkeypatch):
    tmp_path.chmod(0o700)
    monkeypatch.setattr(examining, "look_at_pages", lambda _: iter(()))
    monkeypatch.setattr(examining, "HERE", (examining.look_at_data, examining.look_at_clock))
    words = ["doctor", "--offline", "--data", str(tmp_path)]
    assert run_group(commonwatt, words, new_program()) == 0
    assert "0 to put right" in capsys.readouterr().out
    monkeypatch.setenv("COMMONWATT_SITE_ACCENT", "red")
    assert run_group(commonwatt, [*words, "--json"], new_program()) == 1
    wrong, guessed, *others = json.loads(capsys.readouterr().out)
    assert (wrong["subject"], wrong["verdict"]) == ("settings", "bad")
    assert "default of each key" in guessed["what"]
    assert others[-1]["subject"] == "clock"


def test_every_slip_of_the_settings_is_a_finding_and_the_rest_is_looked_at(tmp_path, capsys, monkeypatch):
    tmp_path.chmod(0o700)
    monkeypatch.setattr(examining, "HERE", (examining.look_at_clock,))
    slips = ["bind = 'nonsense'", "connections_max = 1", "colour = 'red'", "tls_key = 5", "hosts = 7"]
    (tmp_path / "commonwatt.toml").write_text("[http]\n" + "\n".join(slips))
    assert run_group(commonwatt, ["doctor", "--offline", "--data", str(tmp_path)], new_program()) == 1
    said = capsys.readouterr().out
    assert "5 to put right, 1 to think about, 1 good." in said
    lines = said.splitlines()
    assert "" not in lines[:-2]
    assert all(line.startswith(("✗ ", "! ", "✓ ", " " * 13)) for line in lines[:-2])

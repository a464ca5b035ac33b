"""`commonwatt tariff` from nothing to a changed price."""

from __future__ import annotations

import json
import sqlite3
from types import SimpleNamespace

import click
import pytest
from tests.conftest import declare_tables

from commonwatt.kernel import Missing, RandomIds
from commonwatt.kit.cli import Program, run_group
from commonwatt.kit.clock import SystemClock
from commonwatt.kit.database import Database, create_tables, open_engine
from commonwatt.tariffs.cli import PLACES, tariff
from commonwatt.tariffs.ports import anywhere


@pytest.fixture
def run(tmp_path, capsys):
    declare_tables()
    path = tmp_path / "site.db"
    engine = open_engine(path)
    create_tables(engine)
    engine.dispose()
    site = SimpleNamespace(currency="EUR", timezone="Europe/Prague")

    def call(*words, places=anywhere):
        root = click.Group(commands=tariff.commands)
        root.callback = click.pass_context(lambda ctx: ctx.meta.update({PLACES: places}))
        program = Program(
            lambda _overrides: SimpleNamespace(site=site),
            lambda _config, _read_only: Database(open_engine(path), SystemClock(), RandomIds()),
        )
        code = run_group(root, list(words), program)
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def test_from_nothing_to_a_changed_price(run):
    assert "tariff create" in run("list")[1]
    code, out, _ = run("create", "--name", "Yard", "--energy", "0.45", "--vat", "20", "--assign")
    assert (code, "0.45 EUR per kWh, 20 % VAT included." in out) == (0, True)
    assert "the site" in run("list")[1]
    assert "Holds at the site" in run("show", "yard")[1]
    code, out, _ = run("revise", "Yard", "--energy", "0.50")
    assert (code, "0.50 EUR per kWh, 20 % VAT included." in out) == (0, True)
    history = json.loads(run("history", "Yard", "--json")[1])
    assert [(one["number"], one["made_by"]) for one in history] == [(2, "terminal"), (1, "terminal")]
    bill = json.loads(run("preview", "Yard", "--use", "30 kWh", "--for", "1h", "--json")[1])
    assert bill["gross"]["text"] == "15.00 EUR"
    assert "15.00 EUR" in run("preview", "Yard")[1]
    assert run("assign", "Yard", "--station", "CP-1", "--connector", "2")[0] == 0
    assert run("retire", "Yard")[0] == 1
    assert run("assign", "--none", "--station", "CP-1", "--connector", "2")[0] == 0
    assert run("assign", "--none")[0] == 0
    assert run("retire", "Yard")[0] == 0
    assert "No price of bitcoin" in run("rates")[1]


@pytest.mark.parametrize(
    "text",
    [
        '{"asset": "EUR", "elements": [{"components": [{"kind": "ENERGY", "price": 0.3}]}]}',
        'asset = "EUR"\n[[elements]]\ncomponents = [{ kind = "ENERGY", price = 0.3 }]\n',
    ],
    ids=["JSON", "TOML"],
)
def test_a_tariff_from_a_file(run, tmp_path, text):
    file = tmp_path / "tariff"
    file.write_text(text)
    code, out, _ = run("create", "--file", str(file), "--name", "Filed", "--json")
    made = json.loads(out)
    assert (code, made["name"], made["elements"][0]["components"][0]["price"]) == (0, "Filed", "0.3")
    assert run("revise", "Filed", "--file", str(file))[0] == 0


def test_what_is_shown_can_be_given_back(run, tmp_path):
    run("create", "--name", "Yard", "--energy", "0.45", "--idle", "0.10", "--idle-after", "15m")
    shown = json.loads(run("show", "Yard", "--json")[1])
    file = tmp_path / "tariff.json"
    file.write_text(json.dumps(shown["current"]))
    code, _, err = run("revise", "Yard", "--file", str(file))
    assert (code, err) == (0, "")
    code, _, err = run("create", "--file", str(file), "--name", "Copy")
    assert (code, "in the past" in err) == (1, True)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("create", "--energy", "0.45"), 2),
        (("create", "--name", "x"), 2),
        (("create", "--name", "x", "--energy", "cheap"), 2),
        (("create", "--name", "x", "--energy", "-1"), 2),
        (("create", "--name", "x", "--file", "/nowhere/at/all"), 2),
        (("create", "--file", "x", "--energy", "1"), 2),
        (("show", "nobody"), 3),
        (("revise", "nobody", "--energy", "1"), 3),
        (("assign",), 2),
        (("assign", "nobody"), 3),
        (("preview", "--energy", "1", "--use", "much"), 2),
        (("preview", "--energy", "1", "--start", "noon"), 2),
    ],
)
def test_wrong_words_get_an_exit_code_and_a_reason(run, words, code):
    found, out, err = run(*words)
    assert found == code
    assert out == ""
    assert err.strip()


def test_a_name_is_given_once(run):
    assert run("create", "--name", "Yard", "--energy", "1")[0] == 0
    code, out, err = run("create", "--name", "YARD", "--energy", "2")
    assert (code, out) == (1, "")
    assert "Another tariff has this name." in err
    assert run("retire", "yard")[0] == 0
    assert run("create", "--name", "Yard", "--energy", "2")[0] == 0


def test_two_old_tariffs_of_one_name_are_told_apart_by_id(run, tmp_path):
    made = [json.loads(run("create", "--name", name, "--energy", "1", "--json")[1])["id"] for name in ("A", "B")]
    with sqlite3.connect(tmp_path / "site.db") as sql:  # written before names were told apart
        sql.execute("UPDATE tariff SET name = 'A'")
    code, _, err = run("show", "A")
    assert code == 3
    assert "Several tariffs" in err
    assert run("show", made[0])[0] == 0


def test_a_wrong_price_names_its_option(run):
    assert "--energy" in run("create", "--name", "x", "--energy", "-1")[2]
    assert "--idle-after" in run("create", "--name", "x", "--energy", "1", "--idle", "1", "--idle-after", "x")[2]
    assert "--for" in run("preview", "--energy", "1", "--for", "long")[2]


def test_a_list_shows_the_usual_price_and_short_ids(run):
    night = ("--night-energy", "0.30", "--night-from", "22:00", "--night-to", "06:00")
    made = json.loads(run("create", "--name", "Yard", "--energy", "0.45", "--flat", "1", *night, "--json")[1])
    listed = run("list")[1]
    assert "0.45 EUR per kWh ..." in listed
    assert "0.30" not in listed
    assert made["id"] not in listed
    assert made["id"][-8:] in listed
    assert "Yard at the site from" in run("assign", made["id"][-8:])[1]
    run("assign", "--none")
    assert run("retire", made["id"][-8:])[1].startswith("Yard is retired")


def test_the_tax_of_a_preview_reads_as_money(run):
    said = run("preview", "--energy", "0.45", "--vat", "20", "--use", "1 kWh")[1]
    assert "0.08 EUR" in said.splitlines()[-1]
    assert "0.45 EUR" in said


def test_a_place_that_is_not_there_is_refused(run):
    def nowhere(_sql, station, _connector):
        raise Missing(f"No station is called {station}.")

    run("create", "--name", "Yard", "--energy", "1")
    assert run("assign", "Yard", "--station", "NOPE", places=nowhere)[0] == 3
    code, out, err = run("assign", "--none", "--station", "NOPE", "--connector", "2", places=nowhere)
    assert (code, out, "No station is called NOPE" in err) == (3, "", True)


def test_what_holds_at_a_station_that_was_removed_can_be_taken_away(run):
    def nowhere(_sql, station, _connector):
        raise Missing(f"No station is called {station}.")

    run("create", "--name", "Yard", "--energy", "1")
    run("assign", "Yard", "--station", "GONE")
    assert run("assign", "--none", "--station", "GONE", places=nowhere)[0] == 0
    assert run("retire", "Yard")[0] == 0
    assert run("assign", "--none", "--station", "GONE", places=nowhere)[0] == 3


OCPI = (
    '{"country_code": "DE", "party_id": "ALL", "id": "16", "currency": "EUR", "elements": [{"price_components": '
    '[{"type": "ENERGY", "price": 0.25, "vat": 20.0, "step_size": 1}], "restrictions": {"start_time": "22:00", '
    '"end_time": "06:00"}}, {"price_components": [{"type": "ENERGY", "price": 0.5, "vat": 20.0, "step_size": 1}]}], '
    '"last_updated": "2019-02-03T12:00:00Z"}'
)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "tariff.json"
    path.write_text(OCPI)
    return str(path)


def zone(answer):
    assert answer[0] == 0, answer
    return json.loads(answer[1])["timezone"]


def test_a_file_without_a_zone_is_by_the_clock_of_the_site_then_of_its_tariff(run, file):
    assert zone(run("create", "--file", file, "--json")) == "Europe/Prague"
    night = ("preview", "--file", file, "--use", "10", "--start", "2026-06-01T20:30:00Z", "--json")
    assert json.loads(run(*night)[1])["gross"]["text"] == "3.00 EUR", "half past ten at night in Prague"
    assert zone(run("create", "--file", file, "--name", "Far", "--timezone", "Asia/Tokyo", "--json")) == "Asia/Tokyo"
    assert json.loads(run("revise", "Far", "--file", file, "--json")[1])["name"] == "Far", "not the document's id"
    assert zone(run("revise", "Far", "--file", file, "--name", "Far", "--json")) == "Asia/Tokyo"
    assert zone(run("revise", "Far", "--file", file, "--name", "Far", "--timezone", "UTC", "--json")) == "UTC"


def test_a_zone_beside_a_file_that_names_another_is_refused(run, tmp_path):
    other = tmp_path / "zoned.json"
    other.write_text(OCPI.replace('"id"', '"timezone": "Europe/Vienna", "id"'))
    assert zone(run("create", "--file", str(other), "--timezone", "Europe/Vienna", "--json")) == "Europe/Vienna"
    code, out, err = run("create", "--file", str(other), "--name", "B", "--timezone", "UTC")
    assert (code, out) == (2, "")
    assert "names the zone Europe/Vienna" in " ".join(err.split())
    code, _, err = run("create", "--file", str(other), "--name", "B", "--timezone", "Mars")
    assert (code, "--timezone" in err) == (2, True)
    other.write_text(OCPI)
    code, _, err = run("create", "--file", str(other), "--name", "B", "--timezone", "Mars")
    assert (code, "--timezone" in err, "'Mars' is no time zone" in err) == (2, True, True), err


def test_three_letters_that_are_no_currency_are_refused(run, file):
    assert "'ABC' is no currency" in run("create", "--name", "x", "--currency", "abc", "--energy", "1")[2]
    assert run("create", "--name", "x", "--currency", "btc", "--energy", "1")[0] == 0
    assert run("create", "--name", "y", "--currency", "chf", "--energy", "1")[0] == 0


def test_a_retired_tariff_is_marked_in_the_list(run):
    run("create", "--name", "Old", "--energy", "1")
    run("create", "--name", "New", "--energy", "1")
    run("retire", "Old")
    lines = {line.split()[0]: line for line in run("list", "--retired")[1].splitlines()}
    assert " retired " in lines["Old"]
    assert " nowhere " in lines["New"]


def test_a_tariff_is_shown_in_whole_sentences(run):
    run("create", "--name", "Yard price", "--energy", "1")
    said = " ".join(run("show", "Yard price")[1].split())
    assert "1 version " in said
    assert "It holds nowhere yet; `commonwatt tariff assign 'Yard price'` changes that." in said
    run("revise", "Yard price", "--energy", "2")
    run("assign", "Yard price")
    said = run("show", "Yard price")[1]
    assert "2 versions" in said
    assert "Holds at the site from 20" in said
    run("assign", "--none")
    run("retire", "Yard price")
    said = run("show", "Yard price")[1]
    assert "Retired 20" in said
    assert "nowhere" not in said


def test_a_history_says_until_when_each_version_holds(run):
    run("create", "--name", "Yard", "--energy", "1")
    run("revise", "Yard", "--energy", "2", "--valid-from", "2126-01-01T00:00:00Z")
    second, first = run("history", "Yard")[1].splitlines()[1:]
    assert first.split()[0] == "1"
    assert first.count("Z") == 2
    assert "2126-01-01 00:00:00Z" in first
    assert second.count("Z") == 1

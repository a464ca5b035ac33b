"""What people read fits a terminal of eighty columns, however long the names are."""

import os
import re
from types import SimpleNamespace

import pytest

from commonwatt import charging, stations, tariffs
from commonwatt.books import Entry, post
from commonwatt.charging.charge import Charge, Kind, Progress
from commonwatt.charging.model.session import Session, Status
from commonwatt.charging.store import insert_charge, save_charges
from commonwatt.kernel import BTC, Amount, RandomIds
from commonwatt.kit.cli import output, run_group
from commonwatt.kit.cli.output import columns
from commonwatt.kit.clock import SystemClock
from commonwatt.kit.database import Database, open_engine
from commonwatt.main.cli import commonwatt, new_program
from commonwatt.main.migrations import migrate
from commonwatt.main.replay.cli import report_text
from commonwatt.main.replay.report import Report, Sum
from commonwatt.members import TERMINAL, create_token
from commonwatt.stations import Boot

LONG = "A very long name that nobody would choose for anything but a test of how wide it gets to be"
IDENTITY = "STATION-WITH-THE-LONGEST-IDENTITY-THAT-IS-TAKEN"
SESSION = "0198c0de-0000-7000-8000-0000deadbeef"
TARIFF = {
    "name": LONG[:90],
    "asset": "EUR",
    "vat_included": True,
    "timezone": "Europe/Prague",
    "elements": [
        {
            "components": [{"kind": "ENERGY", "price": "0.301234", "vat": 20, "step_size": 100}],
            "restrictions": {"start_time": "22:00", "end_time": "06:00", "weekdays": ["MONDAY", "TUESDAY", "SUNDAY"]},
        },
        {"components": [{"kind": "ENERGY", "price": "0.451234", "vat": 20}, {"kind": "FLAT", "price": "1", "vat": 20}]},
    ],
}


@pytest.fixture
async def data(tmp_path):
    """A data directory in which everything is as long as can be."""
    folder = tmp_path / "d"
    folder.mkdir(mode=0o700)
    engine = open_engine(folder / "commonwatt.sqlite")
    migrate(engine)
    database = Database(engine, SystemClock(), RandomIds())
    await database.write(furnish)
    database.close()
    return folder


def furnish(work):
    stations.add_station(work, IDENTITY, LONG)
    stations.note_boot(work, Boot(IDENTITY, LONG, LONG, LONG, LONG))
    tag_id = charging.add_tag(work, "x" * 20, LONG)
    made = tariffs.create_tariff(work, tariffs.parse_tariff(TARIFF))
    tariffs.assign_tariff(work, made.id, IDENTITY, 17)
    tariffs.assign_tariff(work, made.id)
    create_token(work, TERMINAL, LONG[:60], ["stations:read", "stations:write", "books:read", "sessions:write"], None)
    session = Session(
        Status.ENDED, paid_msat=99_999_999_999, cost_msat=12_345_678_901, billed_msat=12_345_678_901, billed=True
    )
    charge = Charge(
        SESSION, "secret", Kind.LOCAL, IDENTITY, 17, "x" * 20, "v" * 36, None, work.now, Progress(session),
        gross_units=123_456_789_012, tag_id=tag_id,
    )  # fmt: skip
    insert_charge(work, charge)
    save_charges(work, [charge])
    much = Amount(BTC, 12_345_678_901)
    lines = [Entry.debit("rail:sandbox", much), Entry.credit(f"session:{SESSION}", much)]
    post(work, "key", lines, LONG, LONG[:60])


COMMANDS = [
    ("station", "list"),
    ("station", "list", "--state", "waiting"),
    ("station", "add", "ANOTHER", "--name", LONG),
    ("station", "admit", IDENTITY),
    ("session", "list"),
    ("session", "list", "--owed"),
    ("session", "show", SESSION),
    ("tag", "list"),
    ("tag", "add", "another", "--holder", LONG[:60]),
    ("token", "list"),
    ("token", "create", "n", "--scope", "stations:read,stations:write,books:read,sessions:write,tariffs:write"),
    ("token", "create", "n"),
    ("member", "list"),
    ("owner", "link"),
    ("tariff", "list"),
    ("tariff", "show", LONG[:90]),
    ("tariff", "create", "--name", "Other", "--energy", "0.451234", "--night-energy", "0.3", "--night-from", "22:00",
     "--night-to", "06:00", "--idle", "0.1", "--idle-after", "15m", "--vat", "20"),
    ("tariff", "revise", LONG[:90], "--file", "-"),
    ("tariff", "assign", LONG[:90], "--station", "NOPE"),
    ("tariff", "assign", LONG[:90], "--station", IDENTITY),
    ("tariff", "history", LONG[:90]),
    ("tariff", "preview", LONG[:90]),
    ("tariff", "rates"),
    ("tariff", "retire", LONG[:90]),
    ("books", "balance"),
    ("books", "balance", "owed"),
    ("books", "journal"),
    ("books", "check"),
    ("doctor", "--offline"),
    ("backup", "/proc/nowhere/at/all"),
]  # fmt: skip


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_nothing_is_wider_than_eighty_columns(words, data, capsys, monkeypatch):
    monkeypatch.setattr(output, "is_terminal", lambda _stream: True)
    monkeypatch.setattr(output.shutil, "get_terminal_size", lambda *_, **__: os.terminal_size((80, 24)))
    monkeypatch.setattr("sys.stdin", SimpleNamespace(read=lambda _most: "{}", isatty=lambda: False))
    run_group(commonwatt, [*words, "--data", str(data)], new_program())
    said = capsys.readouterr()
    lines = re.sub(r"\x1b\[[0-9;]*m", "", said.out + said.err).splitlines()
    assert lines
    assert [line for line in lines if columns(line) > 80 and str(data) not in line] == []


def test_a_replays_account_fits_too():
    paid, cost, change = 983_769_103_000, 366_299_231_989, 617_469_859_232
    part = Sum("MARKET-SQUARE-12", 23_773, 353_674_350, 353_674_350, paid, cost, 61_049_864_075, change, 11_779)
    lines = report_text(Report(part, (part,), (), (LONG * 2,), 22)).splitlines()
    assert max(map(columns, lines)) <= 80

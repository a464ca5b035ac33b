"""What every test may ask for: a stepped clock, seeded ids, a database with all tables."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from hypothesis import settings
from tests.peers.npm import require_npm

from commonwatt.kernel import SeededIds
from commonwatt.kit.clock import SteppedClock
from commonwatt.kit.database import Database, Work, create_tables, open_engine

pytest_plugins = ["tests.peers.lightning"]
"""Brings `lnd_network`: one real Lightning network for the whole run."""

SOURCE = Path(__file__).parent.parent / "src" / "commonwatt"
SHARED = Path(__file__).parent.parent.parent / "shared" / "data"
"""Sample data of third parties beside the repository; tests that read it skip when it is absent."""


def declare_tables() -> None:
    """Import every feature's `store`, so that the metadata knows all tables."""
    for path in sorted(SOURCE.rglob("store.py")):
        importlib.import_module("commonwatt." + ".".join(path.relative_to(SOURCE).with_suffix("").parts))


settings.register_profile("commonwatt", deadline=None)  # machines are busy; speed is bench/'s business
settings.load_profile("commonwatt")

PEERS = ("lnd", "browser", "npm")
"""Markers of tests that need a peer from outside."""


def pytest_addoption(parser):
    parser.addoption(
        "--strict-peers", action="store_true", help="a test that is skipped because its peer is missing fails"
    )


def pytest_runtest_setup(item):
    if item.get_closest_marker("npm"):
        require_npm()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    wanted = item.config.getoption("--strict-peers") and any(item.get_closest_marker(name) for name in PEERS)
    if wanted and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome, report.longrepr = "failed", f"its peer must be here: {reason}"
    return report


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock()


@pytest.fixture
def ids() -> SeededIds:
    return SeededIds()


@pytest.fixture
def database(clock, ids):
    """A database in memory whose writes run inline."""
    declare_tables()
    engine = open_engine(None)
    create_tables(engine)
    database = Database(engine, clock, ids, inline=True)
    yield database
    database.close()


@pytest.fixture
def work(database, clock, ids):
    """A unit of work inside a transaction that is never committed: for testing one action as arithmetic."""
    with database.engine.connect() as connection, connection.begin():
        yield Work(connection, clock.now(), ids)

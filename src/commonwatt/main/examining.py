"""The checks of `commonwatt doctor`: each looks at one thing and yields what it found."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import shlex
import shutil
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from sqlalchemy import Connection, text

from commonwatt.adapters.payment.lnd import LndConfig, LndRail
from commonwatt.adapters.rates import FIXED, open_sources
from commonwatt.books import check_books
from commonwatt.kernel import BTC, Amount, Done, Fault, Instant, amount_text
from commonwatt.kit.cli import counted
from commonwatt.kit.clock import SystemClock
from commonwatt.kit.database import count_dead
from commonwatt.kit.pages.assets import BUILT
from commonwatt.kit.reason import reason_of
from commonwatt.kit.running import Running, base_address, find_running, server_runs
from commonwatt.main.config import Address, Config, StationAuth
from commonwatt.main.finding import Check, Finding, bad, doubtful, good
from commonwatt.main.migrations import DataNewer, newest, refuse_newer
from commonwatt.main.opening import open_as_it_is, schema_revision
from commonwatt.stations import heard_here_only

ROOM_LEAST, ROOM_WANTED = 200 * 1024**2, 2 * 1024**3
SHOWN_FILES = 3
CERTIFICATE_DAYS = 14
CLOCK_SLACK_MS = 5_000
EARLIEST = Instant.parse("2026-01-01T00:00:00Z")
"""No clock that is right shows an earlier time than this software was written at."""


def look_at_data(config: Config) -> Iterator[Finding]:
    """Whether the data directory can be written to, and has room."""
    folder = config.data.dir
    place = next(path for path in (folder, *folder.parents) if path.exists())
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        yield bad(
            "data", f"{place} cannot be written to.", "Give this user the right to, or choose another with --data."
        )
        return
    yield good(
        "data", f"{folder} can be written to." if folder.exists() else f"{folder} will be made at the first start."
    )
    if folder.exists() and folder.stat().st_mode & 0o077:
        yield doubtful("data", f"Other users of this machine can read {folder}.", f"chmod 700 {folder}")
    yield from _look_for_open_files(config)
    free = shutil.disk_usage(place).free
    said = f"{free / 1024**3:.1f} GiB are free."
    if free < ROOM_LEAST:
        yield bad("room", said, "Make room at once: without it no payment and no reading can be stored.")
    elif free < ROOM_WANTED:
        yield doubtful("room", said, "Make room soon, or keep fewer frames (frames.megabytes).")
    else:
        yield good("room", said)


def _look_for_open_files(config: Config) -> Iterator[Finding]:
    """Find files that other users could read: the database holds the secrets of sessions, the others are keys."""
    folder = config.data.dir
    files = sorted(path for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []
    files += [path for path in (config.http.tls_key, config.stations.tls_key, config.lnd.macaroon_path) if path]
    open_files = [path for path in files if path.is_file() and path.stat().st_mode & 0o007]
    if open_files:
        named = ", ".join(str(path) for path in open_files[:SHOWN_FILES])
        more = f" and {len(open_files) - SHOWN_FILES} more" if len(open_files) > SHOWN_FILES else ""
        todo = f"chmod o-rwx {' '.join(shlex.quote(str(path)) for path in open_files)}"
        yield doubtful("data", f"Other users of this machine may read {named}{more}.", todo)


def look_at_database(config: Config) -> Iterator[Finding]:
    """Whether the database opens, is whole, safe against power cuts, up to date, and its books add up."""
    path = config.data.database
    if not path.is_file():
        yield good("database", "There is none yet; the first start makes it.")
        return
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as raw:
            whole = raw.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        whole = str(error)
    if whole != "ok":
        yield bad("database", f"{path} is damaged: {whole}.", "Stop the server, keep a copy, restore the last backup.")
        return
    database = open_as_it_is(config, read_only=True)
    try:
        with database.engine.connect() as connection:
            yield from _look_inside(connection, path)
    finally:
        database.close()


def _look_inside(connection: Connection, path: Path) -> Iterator[Finding]:
    mode = connection.execute(text("PRAGMA journal_mode")).scalar()
    durable = connection.execute(text("PRAGMA synchronous")).scalar()
    if mode != "wal" or durable != 2:  # noqa: PLR2004 (FULL, as SQLite numbers it)
        wrong = f"It runs with journal_mode={mode} and synchronous={durable}, a power cut could lose payments."
        yield bad("database", wrong, "Put the data directory on a local disk; network file systems cannot keep a log.")
    revision, last = schema_revision(connection), newest()
    if revision is None:
        todo = "Restore the last backup. If there never was any data, `commonwatt serve` makes the tables."
        yield bad("database", f"{path} is no database of Commonwatt: it holds no tables of ours.", todo)
        return
    try:
        refuse_newer(connection)
    except DataNewer:
        said = f"It is newer than this version: it stands at migration {revision}, this version ends at {last}."
        yield bad("database", said, "Install the newer version again, or restore a backup from before the upgrade.")
        return
    if revision != last:
        said = f"It is older than this version: it stands at migration {revision}, this version at {last}."
        yield bad("database", said, "Back up, then start `commonwatt serve` once: it brings the database up to date.")
        return
    yield good("database", f"It is whole, safe against power cuts, and up to date (migration {revision}).")
    try:
        checked = check_books(connection)
        yield good("books", _add_up(checked.postings, checked.accounts))
    except Fault as fault:
        yield bad(
            "books", fault.detail, "Do not pay out before somebody has looked; see docs/problems/books-broken.md."
        )
    dead = count_dead(connection)
    if dead:
        said = f"{counted(dead, 'job')} ended without success."
        yield doubtful("jobs", said, "Look at the page Jobs: each has a reason and a retry.")
    latest = connection.execute(text("SELECT max(made_ms) FROM outbox")).scalar()
    ahead = (latest or 0) - SystemClock().now().ms
    if ahead > CLOCK_SLACK_MS:
        yield bad(
            "clock", f"Stored entries are {ahead // 1000} s ahead of this clock.", "Set the clock; run a time service."
        )


def _add_up(postings: int, accounts: int) -> str:
    add = "adds" if postings == 1 else "add"
    return f"{counted(postings, 'posting')} in {counted(accounts, 'account')} {add} up."


def look_at_clock(_config: Config) -> Iterator[Finding]:
    """Whether the clock can be right at all."""
    now = SystemClock().now()
    if now < EARLIEST:
        yield bad("clock", f"It shows {now.iso()}.", "Set the clock and run a time service, before any payment.")
    else:
        yield good("clock", f"It shows {now.iso()}.")


def look_at_ports(config: Config) -> Iterator[Finding]:
    """Whether the addresses to listen on are free, or our own server has them."""
    if server_runs(config.data.dir):
        running = find_running(config.data.dir)
        where = "" if running is None else f" Pages: {running.pages}. Stations: {running.stations}."
        yield good("ports", f"A server runs over this data.{where}")
        return
    for name, address in (("http", config.http.bind), ("stations", config.stations.bind)):
        if address.port == 0 or (wrong := _taken(address)) is None:
            yield good("ports", f"{name} can listen on {address}.")
            continue
        said = f"{name} cannot listen on {address} now: {reason_of(wrong)}."
        if wrong.errno == errno.EADDRINUSE:
            todo = (
                "Another program listens there, such as a server over other data. That matters only when a server "
                f"shall start over this data: then stop the other, or set {name}.bind to another port."
            )
            yield doubtful("ports", said, todo)
        else:
            yield bad("ports", said, f"Set {name}.bind to an address of this machine that this user may listen on.")


def _taken(address: Address) -> OSError | None:
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        with socket.socket(found[0][0], socket.SOCK_STREAM) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(found[0][4])
    except OSError as error:
        return error
    return None


def _as_it_runs(config: Config, running: Running | None) -> Config:
    """Return the settings with the addresses on which the running server listens, which options may have changed."""
    if running is None:
        return config
    with contextlib.suppress(ValueError):
        if running.http_bind:
            config = replace(config, http=replace(config.http, bind=Address.parse(running.http_bind)))
        if running.stations_bind:
            config = replace(config, stations=replace(config.stations, bind=Address.parse(running.stations_bind)))
    return config


def look_at_addresses(config: Config) -> Iterator[Finding]:
    """Whether people, wallets and stations can use the addresses that they are given."""
    running = find_running(config.data.dir)
    config = _as_it_runs(config, running)
    url = running.pages if running else base_address(config)
    parts = urlsplit(url)
    local = parts.hostname == "localhost" or (parts.hostname or "").startswith("127.")
    if parts.scheme == "http" and not local:
        todo = "Set site.base_url to https; without it passkeys and most wallets refuse."
        yield bad("address", f"People reach the site as {url}, without TLS.", todo)
    elif parts.hostname and parts.hostname.startswith("127."):
        yield doubtful(
            "address", f"People reach the site as {url}.", "Write localhost: passkeys work only with a name."
        )
    elif local and config.http.bind.host not in {"127.0.0.1", "::1", "localhost"}:
        yield doubtful("address", f"Links say {url}, though others can reach this server.", "Set site.base_url.")
    else:
        yield good("address", f"People reach the site as {url}.")
    if heard_here_only(config):
        todo = "For chargers elsewhere set stations.bind to 0.0.0.0:8180, or start with --stations."
        yield doubtful("stations", f"Only this machine reaches the stations' address, {config.stations.bind}.", todo)
    open_line = config.stations.auth is StationAuth.OPEN_FOR_TRIAL
    if open_line and config.stations.bind.host not in {"127.0.0.1", "::1", "localhost"}:
        todo = "Set stations.auth to required before real money moves: anybody could pose as a station."
        yield doubtful("stations", "Stations may connect without a password.", todo)
    for name, file in (("http", config.http.tls_certificate), ("stations", config.stations.tls_certificate)):
        if file is not None:
            yield from _look_at_certificate(name, file)


def _look_at_certificate(name: str, file: Path) -> Iterator[Finding]:
    try:
        certificate = x509.load_pem_x509_certificates(file.read_bytes())[0]
    except (OSError, ValueError, IndexError) as error:
        yield bad(
            "tls",
            f"{name}.tls_certificate cannot be read: {reason_of(error)}.",
            "Name a PEM file that this user can read.",
        )
        return
    left = certificate.not_valid_after_utc - datetime.now(UTC)
    if left < timedelta(0):
        yield bad("tls", f"The certificate of {name} has expired.", "Renew it; browsers and stations refuse it.")
    elif left < timedelta(days=CERTIFICATE_DAYS):
        yield doubtful("tls", f"The certificate of {name} expires in {left.days} days.", "Renew it.")
    else:
        yield good("tls", f"The certificate of {name} is valid for {left.days} more days.")


def look_at_pages(_config: Config) -> Iterator[Finding]:
    """Whether the browser's files are there."""
    if (BUILT / "manifest.json").is_file():
        yield good("pages", "The browser's files are built.")
    else:
        yield bad("pages", "The browser's files are not built; pages would come without style.", "Run `make web`.")


def look_at_rails(config: Config) -> Iterator[Finding]:
    """Whether every payment backend answers, and what it could pay out."""
    for rail in config.payments.rails:
        if rail == "sandbox":
            yield doubtful("rails", "sandbox: play money.", "Set payments.rails to lnd and [lnd] for real money.")
        else:
            yield asyncio.run(_ask_lnd(config))


async def _ask_lnd(config: Config) -> Finding:
    rail = LndRail(lnd_settings(config))
    try:
        match await rail.balance():
            case Done(balance):
                said = [amount_text(Amount(BTC, msat)) for msat in (balance.spendable_msat, balance.receivable_msat)]
                return good("rails", f"lnd answers: {said[0]} to pay out, room to receive {said[1]}.")
            case other:
                return bad("rails", f"lnd: {other.reason}", "Start the node, unlock it, and compare the keys of [lnd].")
    finally:
        await rail.close()


def lnd_settings(config: Config) -> LndConfig:
    """Return the node's settings as its adapter wants them; raises NodeSettingsRefused for what cannot be."""
    lnd = config.lnd
    if lnd.macaroon_path is not None:
        return LndConfig.from_files(lnd.url, lnd.macaroon_path, lnd.tls_cert_path, route_hints=lnd.route_hints)
    return LndConfig(lnd.url, lnd.macaroon_hex, lnd.tls_cert_path, route_hints=lnd.route_hints)


def look_at_rates(config: Config) -> Iterator[Finding]:
    """Whether enough sources tell the price of bitcoin."""
    if config.fixed_rate:
        said = f"One bitcoin is {config.fixed_rate} {config.site.currency}, fixed."
        todo = "With real money clear rates.fixed, or every sale is at a wrong price."
        yield good("rates", said) if config.sandbox else bad("rates", said, todo)
        return
    yield from asyncio.run(_ask_rates(config))


async def _ask_rates(config: Config) -> list[Finding]:
    sources = open_sources([name for name in config.rates.sources if name != FIXED], SystemClock())
    try:
        answers = await asyncio.gather(*(source.fetch(config.site.currency) for source in sources))
    finally:
        for source in sources:
            await source.close()
    findings = [
        good("rates", f"{source.name} answers.")
        if isinstance(answer, Done)
        else doubtful("rates", f"{source.name}: {answer.reason}", "The others may suffice.")
        for source, answer in zip(sources, answers, strict=True)
    ]
    count = sum(isinstance(answer, Done) for answer in answers)
    if count < config.rates.sources_min:
        todo = "Check the connection to the Internet; set rates.fixed for a trial with play money."
        findings.append(bad("rates", f"{count} of {config.rates.sources_min} needed sources answer.", todo))
    return findings


HERE: tuple[Check, ...] = (
    look_at_data,
    look_at_database,
    look_at_clock,
    look_at_ports,
    look_at_addresses,
    look_at_pages,
)
"""What needs nothing but this machine."""
AWAY: tuple[Check, ...] = (look_at_rails, look_at_rates)
"""What asks others."""

"""Pages about the whole installation: its settings and its jobs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
from litestar import get, post
from litestar.params import Parameter, QueryParameter
from litestar.response import Redirect, Stream, Template
from sqlalchemy import Connection, func, select

from commonwatt import __version__, members
from commonwatt.kernel import Instant
from commonwatt.kit.database import Database, Job, Ordering, SortColumn, Work, mentions
from commonwatt.kit.database.jobs import retry
from commonwatt.kit.database.ordering import Key
from commonwatt.kit.database.outbox import outbox
from commonwatt.kit.web import CSV_ROWS_MAX, AsFile, Paging, RowNumber, Site, csv_answer, sorted_page
from commonwatt.main.config import Config
from commonwatt.main.demo.settings import SET_BY_DEMO, is_demo
from commonwatt.main.keys import key_specs, shown
from commonwatt.members import Actor, record_act, require_scope

CSV_HEADER = ("id", "kind", "state", "attempts", "made", "due", "ended", "error")
Text = Annotated[str, Parameter(max_length=100)]
State = Annotated[str, QueryParameter(name="state", max_length=20)]
_NUMBER: SortColumn[Job] = SortColumn(outbox.c.id, int, lambda job: job.id)
JOBS: Ordering[Job] = Ordering(
    _NUMBER,
    {
        "number": _NUMBER,
        "made": SortColumn(outbox.c.made_ms, int, lambda job: job.made_ms),
        "state": SortColumn(outbox.c.state, str, lambda job: job.state),
        "due": SortColumn(outbox.c.due_ms, int, lambda job: job.due_ms),
        "attempts": SortColumn(outbox.c.attempts, int, lambda job: job.attempts),
    },
)
"""What the list of jobs may be sorted by."""
NEWEST = "-number"
Order = Annotated[str, Parameter(pattern=JOBS.pattern)]


def _(text: str) -> str:
    """Mark a text for the catalogs; the template translates it."""
    return text


KINDS = {
    "payments.InvoiceAccepted": _("Take note: a payment is locked"),
    "payments.InvoiceCancelled": _("Take note: a payment will not come any more"),
    "payments.InvoiceSettled": _("Take note: a payment arrived"),
    "payments.PayoutDone": _("Take note: change arrived"),
    "payments.PayoutFailed": _("Take note: change could not be delivered"),
    "payments.CancelInvoice": _("Give a locked payment back"),
    "payments.SendPayment": _("Pay out change"),
    "payments.SettleInvoice": _("Take a locked payment"),
    "stations.StationBooted": _("Prepare a station that started"),
    "stations.StationRemoved": _("End what ran at a station that was removed"),
    "charging.AskReading": _("Ask a station for a reading"),
    "charging.AskStart": _("Ask a station to start a session"),
    "charging.AskStop": _("Ask a station to stop a session"),
    "charging.SendChange": _("Send change to a Lightning address"),
    "charging.SetRhythm": _("Tell a station how often to send readings"),
}
"""What each kind of job is, in words; the kind itself is shown on hover."""


@get("/settings", guards=[require_scope("stations:read")], include_in_schema=False)
async def show_settings(config: Config, site: Site, database: Database) -> Template:
    """Show every key with its value, a secret as dots, and where to change it."""
    groups: dict[str, list[dict[str, str]]] = {}
    demo = is_demo(config)
    for spec in key_specs():
        section, name = spec.name.split(".", 1)
        value = getattr(getattr(config, section), name)
        origin = "default" if value == spec.default else "demo" if demo and spec.name in SET_BY_DEMO else "set"
        groups.setdefault(section, []).append(
            {
                "name": spec.name,
                "shown": "" if value in (None, "", ()) else shown(value, secret=spec.secret),
                "origin": origin,
                "says": spec.says,
                "variable": spec.variable,
            }
        )
    size = _size_of(config.data.database)
    file = config.data.dir / "commonwatt.toml"
    facts = [
        (_("Version"), __version__),
        (_("Address"), site.base_url),
        (_("Data"), str(config.data.dir)),
        (_("Database"), f"{size // 1024} KiB" if size else "in memory"),
        (_("Commits since the start"), str(database.commits)),
    ]
    context = {
        "groups": [{"name": name, "keys": keys} for name, keys in groups.items()],
        "file": str(file),
        "has_file": file.is_file(),
        "facts": facts,
    }
    return Template("settings.html", context=context)


def _size_of(path: Path) -> int:
    """Return the bytes of a database with its write-ahead log, where the last changes are."""
    parts = (path, path.with_name(f"{path.name}-wal"))
    return sum(part.stat().st_size for part in parts if part.is_file())


@get("/jobs", guards=[require_scope("jobs:read")], include_in_schema=False)
async def show_jobs(
    database: Database,
    paging: Paging,
    actor: Actor,
    in_state: State = "",
    q: Text = "",
    sort: Order = "",
    as_file: AsFile = "",
) -> Template | Stream:
    """List what is still to be done in the world, and what could not be done; `format=csv` gives a file."""
    if as_file:
        jobs = await database.read(_jobs, in_state, q, sort=sort or NEWEST, limit=CSV_ROWS_MAX)
        return csv_answer("jobs", CSV_HEADER, (_csv_row(job) for job in jobs))
    sorted_by = (JOBS, sort or NEWEST, paging)
    page = await sorted_page(database, _jobs, in_state, q, order=sorted_by)
    context = {
        "jobs": page.items,
        "next_cursor": page.next_cursor,
        "counts": await database.read(_counts),
        "kinds": KINDS,
        "may_change": actor.may("jobs:write"),
    }
    return Template("jobs.html", context=context)


@post("/jobs/{job_id:int}/retry", guards=[require_scope("jobs:write")], include_in_schema=False, status_code=303)
async def retry_job(job_id: RowNumber, database: Database, actor: Actor) -> Redirect:
    """Send a dead job back to wait."""
    await database.write(_retry, job_id, actor)
    return Redirect("/jobs", status_code=303)


def _csv_row(job: Job) -> tuple[object, ...]:
    """Return a job as a row of a spreadsheet, without its content."""
    ended = None if job.ended_ms is None else Instant(job.ended_ms)
    return (job.id, job.kind, job.state, job.attempts, Instant(job.made_ms), Instant(job.due_ms), ended, job.error)


def _jobs(sql: Connection, state: str, words: str, *, sort: str, after: Key = (), limit: int) -> list[Job]:
    statement = JOBS.page(select(outbox), sort, after).limit(limit)
    if state:
        statement = statement.where(outbox.c.state == state)
    if words:
        statement = statement.where(mentions(words, outbox.c.kind, outbox.c.payload))
    return [
        Job(
            id=row.id,
            kind=row.kind,
            payload=msgspec.json.decode(row.payload),
            state=row.state,
            attempts=row.attempts,
            made_ms=row.made_ms,
            due_ms=row.due_ms,
            error=row.error,
            key=row.key,
            ended_ms=row.ended_ms,
        )
        for row in sql.execute(statement)
    ]


def _counts(sql: Connection) -> dict[str, int]:
    return {row[0]: row[1] for row in sql.execute(select(outbox.c.state, func.count()).group_by(outbox.c.state))}


def _retry(work: Work, job_id: int, actor: members.Actor) -> None:
    retry(work, job_id)
    record_act(work, actor, "retry job", f"job/{job_id}")


@get(["/api", "/api/v1"], include_in_schema=False)
async def show_api() -> Redirect:
    """Lead whoever looks for the API to its reference."""
    return Redirect("/api/v1/reference", status_code=303)


ROUTES = [show_api, show_settings, show_jobs, retry_job]

"""Metrics: every name begins with `commonwatt_`, says what it counts, and appears in the reference by itself."""

from __future__ import annotations

from collections.abc import Sequence

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from commonwatt.kit.database import Database, outbox

PREFIX = "commonwatt_"


def counter(name: str, says: str, labels: Sequence[str] = ()) -> Counter:
    """Declare something that only grows; the name ends in what is counted, without the prefix."""
    return Counter(PREFIX + name, _sentence(says), labels)


def gauge(name: str, says: str, labels: Sequence[str] = ()) -> Gauge:
    """Declare something that goes up and down."""
    return Gauge(PREFIX + name, _sentence(says), labels)


def histogram(name: str, says: str, buckets: Sequence[float], labels: Sequence[str] = ()) -> Histogram:
    """Declare a distribution over buckets, in the unit that the name ends in."""
    return Histogram(PREFIX + name, _sentence(says), labels, buckets=buckets)


class DatabaseMetrics:
    """What the writer and the outbox of the process's database are doing."""

    def __init__(self) -> None:
        """Watch nothing yet."""
        self.database: Database | None = None

    def describe(self) -> list[Metric]:
        """Name the metrics without touching a database."""
        return _families(0, 0, {}, 0)

    def collect(self) -> list[Metric]:
        """Count now, on a connection of its own; nothing while no database is watched or it cannot be read."""
        database = self.database
        if database is None:
            return []
        statement = select(outbox.c.state, func.count(), func.min(outbox.c.due_ms)).group_by(outbox.c.state)
        try:
            with database.engine.connect() as connection:
                rows = connection.execute(statement).all()
        except SQLAlchemyError:
            return []
        now = database.clock.now().ms
        due = next((due for state, _, due in rows if state == "waiting"), now)
        return _families(
            database.commits, database.calls, {state: count for state, count, _ in rows}, max(0, now - due)
        )


def _families(commits: int, calls: int, jobs: dict[str, int], late_ms: int) -> list[Metric]:
    committed = CounterMetricFamily(PREFIX + "database_commits", "Transactions that were committed.")
    committed.add_metric([], commits)
    called = CounterMetricFamily(PREFIX + "database_calls", "Actions that ran in those transactions.")
    called.add_metric([], calls)
    states = GaugeMetricFamily(PREFIX + "jobs", "Jobs in the outbox, by state.", labels=["state"])
    for state in ("waiting", "running", "done", "dead"):
        states.add_metric([state], jobs.get(state, 0))
    late = GaugeMetricFamily(PREFIX + "jobs_late_seconds", "How long the job that is due longest has waited.")
    late.add_metric([], late_ms / 1000)
    return [committed, called, states, late]


_WATCH = DatabaseMetrics()
REGISTRY.register(_WATCH)


def watch_database(database: Database | None) -> None:
    """Show this database's metrics from now on, in place of the one before; None shows none."""
    _WATCH.database = database


def reference(registry: CollectorRegistry = REGISTRY) -> str:
    """Return all our metrics as a Markdown table: name, kind, meaning."""
    lines = ["# Metrics", "", "`/metrics` answers in the text format of Prometheus.", ""]
    lines += ["| name | kind | what it says |", "|---|---|---|"]
    known = [*registry.collect(), *_WATCH.describe()]
    ours = {metric.name: metric for metric in known if metric.name.startswith(PREFIX)}
    for name, metric in sorted(ours.items()):
        shown = f"{name}_total" if metric.type == "counter" else name
        lines.append(f"| `{shown}` | {metric.type} | {metric.documentation} |")
    return "\n".join(lines) + "\n"


def _sentence(says: str) -> str:
    if not says.endswith("."):
        msg = f"{says!r} is no sentence; say what the metric counts"
        raise ValueError(msg)
    return says

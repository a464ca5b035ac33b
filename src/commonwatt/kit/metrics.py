"""Metrics: every name begins with `commonwatt_`, says what it counts, and appears in the reference by itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

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
    """What the writer and the outbox of one database are doing; register it once per process."""

    def __init__(self, database: Database) -> None:
        """Watch a database."""
        self._database = database

    def describe(self) -> Iterable[Metric]:
        """Name the metrics without touching the database."""
        return self._families({}, None)

    def collect(self) -> Iterable[Metric]:
        """Count now, on a connection of its own."""
        statement = select(outbox.c.state, func.count(), func.min(outbox.c.due_ms)).group_by(outbox.c.state)
        try:
            with self._database.engine.connect() as connection:
                rows = connection.execute(statement).all()
        except SQLAlchemyError:
            return self._families({}, None)
        oldest = next((due for state, _, due in rows if state == "waiting"), None)
        return self._families({state: count for state, count, _ in rows}, oldest)

    def _families(self, jobs: dict[str, int], oldest_ms: int | None) -> list[Metric]:
        commits = CounterMetricFamily(PREFIX + "database_commits", "Transactions that were committed.")
        commits.add_metric([], self._database.commits)
        calls = CounterMetricFamily(PREFIX + "database_calls", "Actions that ran in those transactions.")
        calls.add_metric([], self._database.calls)
        states = GaugeMetricFamily(PREFIX + "jobs", "Jobs in the outbox, by state.", labels=["state"])
        for state in ("waiting", "running", "done", "dead"):
            states.add_metric([state], jobs.get(state, 0))
        late = GaugeMetricFamily(PREFIX + "jobs_late_seconds", "How long the job that is due longest has waited.")
        now = self._database.clock.now().ms
        late.add_metric([], 0 if oldest_ms is None else max(0, now - oldest_ms) / 1000)
        return [commits, calls, states, late]


def watch_database(database: Database, registry: CollectorRegistry = REGISTRY) -> DatabaseMetrics:
    """Show a database's metrics in a registry; `registry.unregister` ends it."""
    metrics = DatabaseMetrics(database)
    registry.register(metrics)
    return metrics


def reference(registry: CollectorRegistry = REGISTRY) -> str:
    """Return all our metrics as a Markdown table: name, kind, meaning."""
    lines = ["# Metrics", "", "`/metrics` answers in the text format of Prometheus.", ""]
    lines += ["| name | kind | what it says |", "|---|---|---|"]
    ours = {metric.name: metric for metric in registry.collect() if metric.name.startswith(PREFIX)}
    for name, metric in sorted(ours.items()):
        shown = f"{name}_total" if metric.type == "counter" else name
        lines.append(f"| `{shown}` | {metric.type} | {metric.documentation} |")
    return "\n".join(lines) + "\n"


def _sentence(says: str) -> str:
    if not says.endswith("."):
        msg = f"{says!r} is no sentence; say what the metric counts"
        raise ValueError(msg)
    return says

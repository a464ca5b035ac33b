"""The log never gives a secret away, and every metric says what it counts."""

import io
import json
import logging

import pytest
import structlog
from prometheus_client import REGISTRY, generate_latest

from commonwatt.kit.log import DOTS, configure_log, hide_secrets
from commonwatt.kit.metrics import PREFIX, counter, reference, watch_database


@pytest.fixture
def stream():
    before = logging.getLogger().handlers[:], logging.getLogger().level
    yield io.StringIO()
    structlog.reset_defaults()
    logging.getLogger().handlers[:], level = before
    logging.getLogger().setLevel(level)


def lines(stream):
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_one_line_of_json_per_event(stream):
    configure_log("json", "info", stream)
    structlog.get_logger("jobs").info("job done", job=7, secret_link="abc", nested={"macaroon": "00", "ok": 1})
    (line,) = lines(stream)
    assert line.pop("at").endswith("Z")
    assert line == {
        "level": "info",
        "log": "jobs",
        "event": "job done",
        "job": 7,
        "secret_link": DOTS,
        "nested": {"macaroon": DOTS, "ok": 1},
    }


def test_levels_are_kept_and_errors_bring_their_trace(stream):
    configure_log("json", "warning", stream)
    log = structlog.get_logger("x")
    log.info("unseen")
    try:
        raise ValueError("oh")
    except ValueError:
        log.exception("failed")
    (line,) = lines(stream)
    assert line["exception"][0]["exc_type"] == "ValueError"


def test_what_libraries_log_comes_the_same_way(stream):
    configure_log("json", "info", stream)
    logging.getLogger("somebody").warning("careful %s", "now")
    logging.getLogger("aiohttp.access").info("noise")
    (line,) = lines(stream)
    assert (line["log"], line["event"], line["level"]) == ("somebody", "careful now", "warning")


def test_the_console_is_for_people(stream):
    configure_log("console", "info", stream)
    structlog.get_logger("x").info("hello", who="you")
    assert "hello" in stream.getvalue()
    assert not stream.getvalue().startswith("{")


def test_what_cannot_be_json_is_written_all_the_same(stream):
    configure_log("json", "info", stream)
    structlog.get_logger("x").info("odd", thing=object(), raw=b"\x00\xff")
    assert "object" in lines(stream)[0]["thing"]


def test_no_field_is_hidden_for_nothing():
    assert hide_secrets(None, "info", {"token_id": 1, "preimage": None}) == {"token_id": 1, "preimage": None}


async def test_the_database_is_watched(database):
    await database.write(lambda _work: None)
    watch_database(database)
    said = generate_latest(REGISTRY).decode()
    assert "commonwatt_database_commits_total 1.0" in said
    assert 'commonwatt_jobs{state="dead"} 0.0' in said
    watch_database(None)
    assert "commonwatt_jobs" not in generate_latest(REGISTRY).decode()
    assert "| `commonwatt_jobs` | gauge | Jobs in the outbox, by state. |" in reference()


def test_a_metric_without_a_sentence_is_refused():
    with pytest.raises(ValueError, match="no sentence"):
        counter("things", "things")


def test_all_metrics_of_ours_say_what_they_count():
    ours = [metric for metric in REGISTRY.collect() if metric.name.startswith(PREFIX)]
    assert all(metric.documentation.endswith(".") for metric in ours)

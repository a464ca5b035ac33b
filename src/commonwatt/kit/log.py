"""The log: one canonical line per request, station call or job, as JSON for machines or in colour for a person.

A line is an event in the past tense and its fields: `log.info("job failed", job=7)`. Whatever a field named like a
secret holds is written as dots, so that no careless line gives a key away.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, Protocol, TextIO

import msgspec
import structlog

DOTS = "••••••"
_SECRETS = ("macaroon", "password", "secret", "preimage", "authorization", "cookie", "credential")
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_NOISY = ("asyncio", "aiohttp.access", "alembic", "uvicorn")

Line = MutableMapping[str, Any]


class _Named(Protocol):
    name: str


class _Sink:
    """Writes finished lines of one named log to the stream."""

    def __init__(self, stream: TextIO, name: str) -> None:
        self._stream = stream
        self.name = name

    def msg(self, line: str) -> None:
        self._stream.write(line + "\n")
        self._stream.flush()

    debug = info = warning = warn = error = exception = critical = fatal = log = msg


class _Bridge(logging.Handler):
    """Takes what libraries log in the standard way into our lines."""

    def emit(self, record: logging.LogRecord) -> None:
        name = logging.getLevelName(record.levelno).lower()
        level = name if name in _LEVELS else "error"
        try:
            fields = {"exc_info": record.exc_info} if record.exc_info else {}
            getattr(structlog.get_logger(record.name), level)(record.getMessage(), **fields)
        except Exception:  # noqa: BLE001 (a line that cannot be written must not stop what it tells of)
            self.handleError(record)


_PLACES_ONLY = structlog.tracebacks.ExceptionDictTransformer(show_locals=False, max_frames=20)
"""Tracebacks say where, never what the variables held: those may be cookies, keys and preimages."""


def configure_log(form: str = "auto", level: str = "info", stream: TextIO | None = None) -> None:
    """Set the process's log up, once at its start; `form` is `json`, `console` or `auto` (console on a terminal).

    Lines go to the standard output unless another stream is given.
    """
    target = stream or sys.stdout
    console = form == "console" or (form == "auto" and target.isatty())
    last: list[Any] = (
        [structlog.dev.ConsoleRenderer(colors=target.isatty(), exception_formatter=structlog.dev.plain_traceback)]
        if console
        else [structlog.processors.ExceptionRenderer(_PLACES_ONLY), _json]
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            _add_name,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            hide_secrets,
            *last,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=lambda name="commonwatt", *_: _Sink(target, name),
        cache_logger_on_first_use=True,
    )
    root = logging.getLogger()
    root.handlers[:] = [_Bridge()]
    root.setLevel(max(_LEVELS[level], logging.INFO))
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)


def hide_secrets(_logger: Any, _method: str, line: Line) -> Line:
    """Write dots for every field whose name speaks of a secret, at any depth."""
    for name, value in line.items():
        line[name] = _hidden(name, value)
    return line


def _hidden(name: str, value: Any) -> Any:
    lowered = name.lower()
    if value is not None and any(word in lowered for word in _SECRETS):
        return DOTS
    if isinstance(value, dict):
        return {key: _hidden(str(key), item) for key, item in value.items()}
    return value


def _add_name(logger: _Named, _method: str, line: Line) -> Line:
    line.setdefault("log", logger.name)
    return line


def _json(_logger: Any, _method: str, line: Line) -> str:
    ordered = {"at": line.pop("at", ""), "level": line.pop("level", ""), "log": line.pop("log", ""), **line}
    return msgspec.json.encode(ordered, enc_hook=repr).decode()

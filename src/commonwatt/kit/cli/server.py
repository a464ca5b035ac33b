"""Speaks to the running server for commands that only it can do, such as what reaches a station."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import click

from commonwatt.kernel import Fault, Unavailable
from commonwatt.kit.cli.problems import find_page

TIMEOUT_S = 60


class ServerUnreachable(Unavailable):
    """The running server did not answer the command line."""

    slug = "server-unreachable"
    title = "No answer from the server"


class ServerRefused(Fault):
    """The running server answered with a problem; its own slug and title are told, its status is the exit code's."""

    slug = "server-refused"
    title = "The server said no"
    status = 409


def post_json(url: str, token: str, value: Any) -> Any:
    """Post JSON to the running server with a token; raises ServerRefused with its problem, or ServerUnreachable."""
    if not url.startswith(("http://", "https://")):
        raise click.BadParameter("begins with http:// or https://", param_hint="--server")
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", "Accept": "application/json"}
    request = urllib.request.Request(url, json.dumps(value).encode(), headers, method="POST")  # noqa: S310 (checked)
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310 (the scheme is checked above)
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise _problem(error.read(), error.code) from None
    except OSError as error:
        msg = f"{url} does not answer ({error}). Start `commonwatt serve`, or name its address with --server."
        raise ServerUnreachable(msg, url=url) from None


def _problem(body: bytes, status: int) -> ServerRefused:
    try:
        problem = json.loads(body)
    except ValueError:
        problem = None
    if not isinstance(problem, dict):
        problem = {}
    detail = problem.get("detail") or f"It answered with status {status}."
    extra = {
        key: problem[key] for key in ("code", "description", "answer", "type") if isinstance(problem.get(key), str)
    }
    slug, title = str(problem.get("slug", "")), str(problem.get("title", "Refused"))
    if not find_page(slug):
        return ServerRefused(f"{title}: {detail}", http_status=status, **extra)
    refused = ServerRefused(detail, http_status=status, **extra)
    refused.slug, refused.title = slug, title  # type: ignore[misc] # the server's own problem, told as such
    return refused

"""Speaks to the running server for commands that only it can do, such as what reaches a station."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import click

from commonwatt.kernel import Fault, Refused, Unavailable
from commonwatt.kit.cli.problems import find_page
from commonwatt.kit.cli.program import SCOPE, make_token
from commonwatt.kit.reason import reason_of

TIMEOUT_S = 60


class TokenRefused(Refused):
    """The running server does not know the token of a command."""

    slug = "token-refused"
    title = "This token is not valid"
    status = 401


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
    """Post JSON to an address of `Program.server` with a token.

    Raises ServerRefused with the server's problem, TokenRefused for the token, or ServerUnreachable.
    """
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", "Accept": "application/json"}
    request = urllib.request.Request(url, json.dumps(value).encode(), headers, method="POST")  # noqa: S310 (`Program.server` checks it)
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310 (as above)
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise _problem(error.read(), error.code) from None
    except OSError as error:
        msg = f"{url} does not answer: {reason_of(error)}. Start `commonwatt serve`, or name its address with --server."
        raise ServerUnreachable(msg, url=url) from None


def _problem(body: bytes, status: int) -> Fault:
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
    if problem.get("slug") == "not-signed-in":
        scope = click.get_current_context().meta.get(SCOPE, "SCOPE")
        msg = f"The server does not know this token: it is mistyped, revoked or expired. Make one: {make_token(scope)}"
        return TokenRefused(msg, http_status=status)
    slug, title = str(problem.get("slug", "")), str(problem.get("title", "Refused"))
    if not find_page(slug):
        return ServerRefused(f"{title}: {detail}", http_status=status, **extra)
    refused = ServerRefused(detail, http_status=status, **extra)
    refused.slug, refused.title = slug, title  # type: ignore[misc] # the server's own problem, told as such
    return refused

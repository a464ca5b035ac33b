"""Forms whose answer shows a secret: each page gives its form a key, so that loading the answer anew makes no other."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from litestar import Request

from commonwatt.kernel import sha256_hex
from commonwatt.kit.database import Database
from commonwatt.kit.web.forgery import FIELD
from commonwatt.kit.web.idempotency import IdempotencyKey

ONCE = "once"
"""The field of a form whose answer is shown once: a key that each page makes anew."""
ONCE_MAX = 64


def form_key(database: Database) -> str:
    """Make the key of a form."""
    return database.ids.secret(12).hex()


def once_key(request: Request[Any, Any, Any], asker: str, posted: Iterable[tuple[str, Any]]) -> IdempotencyKey | None:
    """Return what lets a form do its work once, however often its answer is loaded anew; None for a form without it.

    Posted again with other content, or by another asker, it does other work.
    """
    fields = sorted((name, str(value)) for name, value in posted if name != FIELD)
    key = dict(fields).get(ONCE, "")
    if not key.isalnum() or not key.isascii() or len(key) > ONCE_MAX:
        return None
    content = sha256_hex(repr(fields).encode())
    return IdempotencyKey(f"{asker} {request.url.path} {key} {content[:16]}", content)


def shown_now(made: dict[str, Any]) -> dict[str, Any]:
    """Return what a form made, as its page shows it: a repeated answer has no secret, so that page may be left."""
    before = "shown_before" in made
    return {**made, "shown_before": before, "shown_once": not before}

"""The forms of people's pages: what was posted, what of it was refused, and what is done and shown only once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from litestar import Request

from commonwatt.kernel import Fault, said, sha256_hex
from commonwatt.kit.database import Database
from commonwatt.kit.web import BadRequest, IdempotencyKey
from commonwatt.kit.web.forgery import FIELD
from commonwatt.members.errors import ScopeRefused
from commonwatt.members.model.actor import Actor, Role

ONCE = "once"
"""The field of a form whose answer is shown once: a key that each page makes anew."""
ONCE_MAX = 64
_FIELDS = {"expires": "days", "expires_s": "days"}
"""The fields of our forms that are called otherwise where their content is judged."""


def new_key(database: Database) -> str:
    """Make the key of a form."""
    return database.ids.secret(12).hex()


def once_key(request: Request[Any, Any, Any], actor: Actor, posted: Iterable[tuple[str, Any]]) -> IdempotencyKey | None:
    """Return what lets a form do its work once, however often its answer is loaded anew; None for a form without it.

    Posted again with other content it does other work.
    """
    fields = sorted((name, str(value)) for name, value in posted if name != FIELD)
    key = dict(fields).get(ONCE, "")
    if not key.isalnum() or not key.isascii() or len(key) > ONCE_MAX:
        return None
    content = sha256_hex(repr(fields).encode())
    return IdempotencyKey(f"{actor.id} {request.url.path} {key} {content[:16]}", content)


def shown_now(made: dict[str, Any]) -> dict[str, Any]:
    """Return what a form made, as its page shows it: a repeated answer has no secret, so that page may be left."""
    before = "shown_before" in made
    return {**made, "shown_before": before, "shown_once": not before}


def wrong_fields(error: Fault) -> list[dict[str, str]]:
    """Return what was refused and at which field, for the page that shows its form again."""
    field = "scope" if isinstance(error, ScopeRefused) else str(error.fields.get("field", ""))
    return [{"field": _FIELDS.get(field, field), "message": error.said}]


def number_of(form: Mapping[str, Any], name: str) -> int:
    """Return a whole number of a form. Raises BadRequest."""
    text = str(form.get(name, ""))
    if not text.isascii() or not text.isdigit() or len(text) > 9:  # noqa: PLR2004 (more than any number of days)
        raise BadRequest(said("This must be a whole number."), field=name)
    return int(text)


def role_of(form: Mapping[str, Any]) -> Role:
    """Return the role that a form names. Raises BadRequest."""
    try:
        return Role(str(form.get("role", "")))
    except ValueError as error:
        raise BadRequest(said("A role is owner, operator or auditor."), field="role") from error

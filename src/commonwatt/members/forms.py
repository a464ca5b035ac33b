"""The forms of people's pages: what was posted, and what of it was refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from commonwatt.kernel import Fault, said
from commonwatt.kit.web import BadRequest
from commonwatt.members.errors import ScopeRefused
from commonwatt.members.model.actor import Role

_FIELDS = {"expires": "days", "expires_s": "days"}
"""The fields of our forms that are called otherwise where their content is judged."""


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

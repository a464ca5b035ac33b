"""What of the talk with stations is kept for nobody, the password, and what only for some, id tags.

`AuthorizationKey` is a station's password (security whitepaper for OCPP 1.6, profile 1). It travels as the value of a
configuration key, and no log may be a place to find it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from commonwatt.kernel import said
from commonwatt.members import MASK
from commonwatt.stations.errors import CommandInvalid

_SECRET = "authorizationkey"  # noqa: S105 (the name of the key, in whatever case)
_STRING = r'"(?:[^"\\]|\\.)*(?:"|$)'
_VALUES = re.compile(rf'("(?:value|authorizationkey)"\s*:\s*)(?:{_STRING}|[^"\s,}}\]]+)', re.IGNORECASE)
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")
_ID_TAGS = re.compile(rf'("(?:idTag|parentIdTag)"\s*:\s*)(?:{_STRING}|(?!null\b)[^"\s,}}\]]+)')


def is_secret(key: Any) -> bool:
    """Whether a configuration key holds a password (OCPP 1.6, 9: names of keys do not mind their case)."""
    return isinstance(key, str) and key.strip().lower() == _SECRET


def check_not_hidden(payload: Mapping[str, Any]) -> None:
    """Raise CommandInvalid where the dots that stand for a password would become the password."""
    if is_secret(payload.get("key")) and payload.get("value") == MASK:
        msg = said("The dots stand for a password that is not shown. Nothing was sent; write the new password itself.")
        raise CommandInvalid(msg, field="value")


def hide_secrets(value: Any) -> Any:
    """Return a payload with dots for every password in it, as the value of a key or as a member of its own name."""
    if isinstance(value, Mapping):
        whole = is_secret(value.get("key"))
        return {
            name: MASK if (is_secret(name) or (whole and name == "value")) and item is not None else hide_secrets(item)
            for name, item in value.items()
        }
    if isinstance(value, list):
        return [hide_secrets(item) for item in value]
    return hide_secrets_in(value) if isinstance(value, str) else value


def hide_secrets_in(text: str) -> str:
    """Return a frame's text with dots for every password in it; a text that names none stays as it was.

    A broken frame that names the key loses all its values: nobody can say which of them is the password.
    """
    if _SECRET not in text.lower() and "\\u" not in text:
        return text
    try:
        read = json.loads(text)
        hidden = hide_secrets(read)
    except (ValueError, RecursionError):
        named = _SECRET in _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text).lower()
        return _VALUES.sub(rf'\1"{MASK}"', text) if named else text
    if hidden == read:
        return text
    return json.dumps(hidden, separators=(",", ":"), ensure_ascii=False)


def mask_id_tags(text: str) -> str:
    """Hide id tags in a frame's text: a person's card number is nobody else's business."""
    return _ID_TAGS.sub(rf'\1"{MASK}"', text)

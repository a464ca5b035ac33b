"""Id tags in what is kept for readers who may not see them: a person's card number is nobody else's business."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MASK = "\u2022\u2022\u2022"
TAG_KEYS = frozenset({"idTag", "parentIdTag", "id_tag"})
"""Under these names a JSON value is an id tag: OCPP 1.6's own, and ours."""


def hide_tags(value: Any) -> Any:
    """Return JSON values with every id tag in them replaced by dots, however deep it lies."""
    if isinstance(value, Mapping):
        return {key: MASK if key in TAG_KEYS and item is not None else hide_tags(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [hide_tags(item) for item in value]
    return value

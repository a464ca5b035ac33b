"""Every key of the configuration as a person reads it: its name, type, default, what it does, its value as written."""

from __future__ import annotations

import types
from collections.abc import Iterator
from dataclasses import MISSING, Field, dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from commonwatt.main.config import Address, Config

PREFIX = "COMMONWATT_"
DOTS = "••••••"


@dataclass(frozen=True, slots=True)
class KeySpec:
    """One key of the tree, as `config explain` shows it."""

    name: str
    """Section and key, `stations.unknown`."""
    kind: Any
    default: Any
    says: str
    secret: bool
    least: int | None
    most: int | None

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return PREFIX + self.name.replace(".", "_").upper()

    @property
    def type_text(self) -> str:
        """The type in words."""
        return _type_text(self.kind, self.least, self.most)


def key_specs() -> Iterator[KeySpec]:
    """Yield every key of the tree in its order."""
    for section in fields(Config):
        tree = get_type_hints(Config)[section.name]
        kinds = get_type_hints(tree)
        for one in fields(tree):
            meta = one.metadata
            name = f"{section.name}.{one.name}"
            numbers = meta.get("least"), meta.get("most")
            yield KeySpec(
                name, kinds[one.name], _default(one), meta.get("says", ""), meta.get("secret", False), *numbers
            )


def shown(value: Any, *, secret: bool = False) -> str:
    """Write a value as the file would; a secret that is set as dots."""
    match value:
        case None | "":
            return '""'
        case _ if secret:
            return DOTS
        case bool():
            return "true" if value else "false"
        case tuple():
            return "[" + ", ".join(shown(item) for item in value) + "]"
        case int():
            return str(value)
        case _:
            return f'"{value}"'


def _default(one: Field[Any]) -> Any:
    if one.default_factory is not MISSING:
        return one.default_factory()
    return one.default


def choices(kind: type[StrEnum]) -> str:
    """Write what an enumeration allows: `'reject' or 'waiting-room'`."""
    return " or ".join(f"{choice.value!r}" for choice in kind)


def _type_text(kind: Any, least: int | None, most: int | None) -> str:
    if get_origin(kind) is types.UnionType:
        return _type_text(get_args(kind)[0], least, most) + ", or empty"
    if get_origin(kind) is tuple:
        return "list of words"
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return choices(kind)
    if kind is int and least is not None and most is not None:
        return f"whole number, {least} to {most}"
    return {bool: "true or false", int: "whole number", Address: "HOST:PORT", Path: "path", str: "text"}[kind]

"""The house stays ours: sizes, names, front doors."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
SOURCE = ROOT / "src" / "commonwatt"
FILES = sorted(SOURCE.rglob("*.py"))
FEATURES = {"members", "books", "metering", "tariffs", "stations", "payments", "charging"}
OPEN_DOORS = {"ports", "events", "errors", "reports"}
"""Modules of a feature that outsiders may name besides its front door: promises and words, no behaviour."""
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "service", "services", "base", "misc"}
LINES_MAX = 400
FUNCTION_LINES_MAX = 70


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize(
    "path", [*FILES, *sorted((ROOT / "sim").rglob("*.py")), *sorted((ROOT / "tests").rglob("*.py"))], ids=named
)
def test_files_are_short(path):
    assert len(path.read_text().splitlines()) <= LINES_MAX


@pytest.mark.parametrize("path", FILES, ids=named)
def test_functions_are_short(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < FUNCTION_LINES_MAX, node.name


@pytest.mark.parametrize("path", FILES, ids=named)
def test_files_are_named_by_verb_or_noun_of_the_field(path):
    assert path.stem not in FORBIDDEN_NAMES
    assert path.parent.name not in FORBIDDEN_NAMES


@pytest.mark.parametrize("path", FILES, ids=named)
def test_features_are_entered_by_the_front_door(path):
    home = path.relative_to(SOURCE).parts[0]
    if home == "main":
        return
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("commonwatt."):
            _, feature, *rest = node.module.split(".")
            if feature in FEATURES and feature != home:
                assert not rest or rest[0] in OPEN_DOORS, f"{named(path)} reaches into {node.module}"


@pytest.mark.parametrize("path", FILES, ids=named)
def test_models_have_no_floats_and_no_true_division(path):
    parts = path.relative_to(SOURCE).parts
    if not ("model" in parts or parts[0] in {"kernel", "protocols"}):
        return
    for node in ast.walk(ast.parse(path.read_text())):
        assert not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)), f"line {node.lineno}: use divide()"
        assert not (isinstance(node, ast.Constant) and isinstance(node.value, float)), f"line {node.lineno}: a float"


PROMISES = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")


@pytest.mark.parametrize("path", FILES, ids=named)
def test_nothing_is_left_for_later(path):
    assert not PROMISES.search(path.read_text())

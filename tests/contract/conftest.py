"""Finds every payment adapter and opens its test bench."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from tests.peers.lightning import lnd_network

__all__ = ["lnd_network"]

ADAPTERS = Path(__file__).parent.parent.parent / "src" / "commonwatt" / "adapters" / "payment"
BENCHES = Path(__file__).parent / "harness"
NAMES = sorted(path.parent.name for path in ADAPTERS.glob("*/rail.py"))


def bench_of(name):
    return importlib.import_module(f"tests.contract.harness.{name}")


def pytest_generate_tests(metafunc):
    if "bench" not in metafunc.fixturenames:
        return
    ready = [name for name in NAMES if (BENCHES / f"{name}.py").exists()]
    params = [pytest.param(name, marks=getattr(bench_of(name), "MARKS", ())) for name in ready]
    metafunc.parametrize("bench", params, indirect=True)


@pytest.fixture
async def bench(request, tmp_path):
    module = bench_of(request.param)
    absent = module.missing()
    if absent:
        pytest.skip(absent)
    async with module.harness(request, tmp_path) as bench:
        yield bench

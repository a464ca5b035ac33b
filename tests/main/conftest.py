"""A folder of data as a server that has run once leaves it."""

from __future__ import annotations

import pytest

from commonwatt.kit.database import open_engine
from commonwatt.main.migrations import migrate


@pytest.fixture
def data(tmp_path):
    engine = open_engine(tmp_path / "commonwatt.sqlite")
    migrate(engine)
    engine.dispose()
    return tmp_path

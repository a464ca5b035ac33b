"""The generated pages of the reference are the ones that the code makes now."""

from pathlib import Path

import pytest

from commonwatt.main.reference import pages

WRITTEN = Path(__file__).parents[2] / "docs" / "reference"


@pytest.mark.parametrize("name", ["commands.md", "configuration.md", "metrics.md"])
def test_the_reference_is_up_to_date(name):
    made = pages()[name]
    assert len(made) > 500
    assert (WRITTEN / name).read_text("utf-8") == made, "run: python -m commonwatt.main.reference docs/reference"

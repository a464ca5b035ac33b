"""The generated pages of the reference are the ones that the code makes now."""

from pathlib import Path

import pytest
from tests.tidy.test_docs import load as load_script

from commonwatt.main.reference import pages

WRITTEN = Path(__file__).parents[2] / "docs" / "reference"


@pytest.mark.parametrize("name", ["commands.md", "configuration.md", "metrics.md"])
def test_the_reference_is_up_to_date(name):
    made = pages()[name]
    assert len(made) > 500
    assert (WRITTEN / name).read_text("utf-8") == made, "run: python -m commonwatt.main.reference docs/reference"


def test_every_operation_says_how_it_refuses():
    described = load_script("api_page").schema()
    operations = [
        (path, one) for path, item in described["paths"].items() if path.startswith("/api/") for one in item.values()
    ]
    assert len(operations) > 50
    for path, operation in operations:
        refusals = {status: one for status, one in operation["responses"].items() if status >= "400"}
        assert {"400", "429", "503"} <= set(refusals), path
        assert "404" in refusals or "{" not in path, path
        assert all(set(one["content"]) == {"application/problem+json"} for one in refusals.values()), path
    stop = described["paths"]["/api/v1/stations/{identity}"]["patch"]
    assert {"401", "403", "409", "412"} <= set(stop["responses"])
    assert "If-Match" in [one["name"] for one in stop["parameters"]]


def test_every_operation_of_the_api_says_what_it_does_in_words():
    described = load_script("api_page").schema()["paths"]
    said = {f"{how} {path}": one.get("summary", "") for path, item in described.items() for how, one in item.items()}
    assert len(said) > 50
    assert [name for name, words in said.items() if " " not in words] == [], "write summary=... at the handler"

"""A town of its own for each module that asks, and one Chromium."""

import pytest
from tests.e2e.browser import ARGS, CHROMIUM, PATIENCE_MS
from tests.e2e.town import Town

sync_api = pytest.importorskip("playwright.sync_api")
sync_api.expect.set_options(timeout=PATIENCE_MS)


def pytest_collection_modifyitems(items):
    absent = pytest.mark.skip(reason=f"Chromium is not at {CHROMIUM}: apt-get install chromium")
    for item in items:
        if "tests/e2e/" in item.path.as_posix():
            item.add_marker(pytest.mark.browser)
            if not CHROMIUM.exists():
                item.add_marker(absent)


@pytest.fixture(scope="module")
def chromium():
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def empty_town(tmp_path_factory):
    """A server on the day it was installed."""
    with Town(tmp_path_factory.mktemp("town"), furnished=False) as town:
        yield town


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    """A server with the demo's stations, prices and tags; all stations but SOLAR-YARD are switched on."""
    with Town(tmp_path_factory.mktemp("town"), furnished=True) as town:
        town.switch_on("TOWN-HALL", connectors=2)
        town.switch_on("MARKET-SQUARE", connectors=2)
        town.switch_on("STATION-ROAD")
        yield town

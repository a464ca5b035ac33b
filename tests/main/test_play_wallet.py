"""The play wallet is where all money is play, and nowhere beside a real one: it asks addresses of this machine."""

from dataclasses import replace

import pytest
from litestar.testing import TestClient
from tests.main.whole import HTML, build_whole

from commonwatt.main.asgi import build_pages
from commonwatt.main.config import Config
from commonwatt.main.worlds import Worlds
from commonwatt.tariffs import RatePolicy

CALLS = [("GET", "/wallet"), ("POST", "/wallet/scan"), ("POST", "/api/v1/sandbox/wallet/scan")]


@pytest.fixture
async def whole(tmp_path, clock, ids):
    return await build_whole(tmp_path, clock, ids)


async def test_a_sandbox_has_it(whole):
    whole.open("/wallet")


@pytest.mark.parametrize(("method", "path"), CALLS)
async def test_beside_a_real_rail_nobody_uses_it(whole, method, path):
    house = replace(whole.house, site=replace(whole.house.site, sandbox=False))
    app = build_pages(Config(), house, Worlds(house.rails, object(), (), RatePolicy()), limited=False)
    with TestClient(app, base_url=house.site.base_url) as client:
        answer = client.request(method, path, headers=HTML, json={} if method == "POST" else None)
    assert answer.status_code == 404

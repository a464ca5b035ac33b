"""The public sources: answers of the documented form are read exactly, everything else is never a price."""

from __future__ import annotations

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from commonwatt.adapters.rates import PUBLIC, Fetcher, Fixed, bitstamp, coinbase, kraken, mempool, open_sources
from commonwatt.adapters.rates.fetch import BYTES_MAX, micro
from commonwatt.kernel import Done, Failed, Instant, Unknown

NOW = Instant.parse("2026-05-01T12:00:00Z")
KRAKEN = (
    b'{"error":[],"result":{"XXBTZEUR":{"a":["60001.10000","1","1.000"],"b":["60001.00000","2","2.000"],'
    b'"c":["60001.05000","0.00170000"],"v":["812.1","1204.9"],"p":["59800.1","59790.2"],"t":[21004,30211],'
    b'"l":["59100.0","59000.0"],"h":["60500.0","60510.0"],"o":"59500.00000"}}}'
)
COINBASE = b'{"data":{"amount":"60002.345","base":"BTC","currency":"EUR"}}'
BITSTAMP = (
    b'{"timestamp":"1777636790","open":"59500","high":"60500","low":"59000","last":"60003","volume":"311.4",'
    b'"vwap":"59900","bid":"60002","ask":"60004","side":"0","open_24":"59400","percent_change_24":"1.01"}'
)
MEMPOOL = b'{"time":1777636500,"USD":68000,"EUR":60004,"GBP":51000,"CAD":94000,"CHF":57000,"AUD":101000,"JPY":-1}'
ANSWERS = {"kraken": KRAKEN, "coinbase": COINBASE, "bitstamp": BITSTAMP, "mempool": MEMPOOL}
ADDRESSES = {
    "kraken": "https://api.kraken.com/0/public/Ticker?pair=XBTEUR",
    "coinbase": "https://api.coinbase.com/v2/prices/BTC-EUR/spot",
    "bitstamp": "https://www.bitstamp.net/api/v2/ticker/btceur/",
    "mempool": "https://mempool.space/api/v1/prices",
}
PARSERS = {"kraken": kraken, "coinbase": coinbase, "bitstamp": bitstamp, "mempool": mempool}


def test_the_documented_forms():
    found = {name: parser.parse(ANSWERS[name], "EUR", NOW) for name, parser in PARSERS.items()}
    assert {name: quote.micro_per_btc for name, quote in found.items()} == {
        "kraken": 60_001_050_000,
        "coinbase": 60_002_345_000,
        "bitstamp": 60_003_000_000,
        "mempool": 60_004_000_000,
    }
    assert found["bitstamp"].at == Instant(1_777_636_790_000)
    assert found["mempool"].at == Instant(1_777_636_500_000)
    assert found["kraken"].at == found["coinbase"].at == NOW
    assert {quote.currency for quote in found.values()} == {"EUR"}


@pytest.mark.parametrize(
    ("name", "body"),
    [
        *((name, body) for name in PARSERS for body in (b"", b"null", b"[]", b"{}", b"<html>", b'{"last":NaN}', b"7")),
        ("kraken", b'{"error":["EQuery:Unknown asset pair"]}'),
        ("kraken", KRAKEN.replace(b'"error":[]', b'"error":["EService:Busy"]')),
        ("kraken", b'{"error":[],"result":{}}'),
        ("kraken", b'{"error":[],"result":{"A":{"c":["1"]},"B":{"c":["1"]}}}'),
        ("kraken", KRAKEN.replace(b'"60001.05000"', b'"0.00000"')),
        ("coinbase", COINBASE.replace(b"EUR", b"USD")),
        ("coinbase", COINBASE.replace(b"BTC", b"BCH")),
        ("coinbase", COINBASE.replace(b'"60002.345"', b'"-60002.345"')),
        ("coinbase", COINBASE.replace(b'"60002.345"', b'"NaN"')),
        ("coinbase", COINBASE.replace(b'"60002.345"', b"true")),
        ("coinbase", COINBASE.replace(b'"60002.345"', b'"1e999999999"')),
        ("bitstamp", BITSTAMP.replace(b'"1777636790"', b'"soon"')),
        ("bitstamp", BITSTAMP.replace(b'"1777636790"', b'"-1"')),
        ("bitstamp", BITSTAMP.replace(b'"60003"', b'"Infinity"')),
        ("mempool", MEMPOOL.replace(b"60004", b"-1")),
        ("mempool", MEMPOOL.replace(b'"EUR":60004,', b"")),
        ("mempool", b'{"a":' * 100_000),
    ],
)
def test_everything_else_is_no_price(name, body):
    with pytest.raises(ValueError, match=r"\w"):
        PARSERS[name].parse(body, "EUR", NOW)


def test_prices_are_read_to_the_millionth():
    assert [micro(said) for said in ("60000", 60000, "0.0000015", "0.0000025", "1E+3")] == [
        60_000_000_000,
        60_000_000_000,
        2,
        2,
        1_000_000_000,
    ]


class Recorded:
    def __init__(self, answer):
        self.answer = answer
        self.asked = []

    async def get(self, url):
        self.asked.append(url)
        return self.answer

    async def close(self):
        return


@pytest.mark.parametrize("name", PUBLIC)
async def test_a_source_keeps_the_promise_of_the_port(name, clock):
    fetcher = Recorded(Done(ANSWERS[name]))
    source = PUBLIC[name](clock, fetcher)
    assert source.name == name
    answer = await source.fetch("EUR")
    assert isinstance(answer, Done)
    assert answer.value.source == name
    assert fetcher.asked == [ADDRESSES[name]]
    fetcher.answer = Done(b"oops")
    assert isinstance(await source.fetch("EUR"), Failed)
    fetcher.answer = Unknown("down")
    assert await source.fetch("EUR") == Unknown("down")


async def test_a_fixed_price(clock):
    source = Fixed(clock, {"EUR": "60000"})
    answer = await source.fetch("EUR")
    assert isinstance(answer, Done)
    assert (answer.value.micro_per_btc, answer.value.at) == (60_000_000_000, clock.now())
    assert isinstance(await source.fetch("USD"), Failed)
    with pytest.raises(ValueError, match="positive"):
        Fixed(clock, {"EUR": "0"})


async def test_sources_by_name(clock):
    sources = open_sources(["kraken", "fixed", "kraken"], clock, {"EUR": "1000"})
    assert [source.name for source in sources] == ["kraken", "fixed"]
    with pytest.raises(ValueError, match="known are"):
        open_sources(["oracle"], clock)


@pytest.fixture
async def server():
    async def answer(request):
        match request.match_info["how"]:
            case "good":
                return web.Response(body=COINBASE)
            case "long":
                return web.Response(body=b" " * (BYTES_MAX + 1))
            case "moved":
                raise web.HTTPFound("/good")
            case status:
                return web.Response(status=int(status))

    app = web.Application()
    app.router.add_get("/{how}", answer)
    server = TestServer(app)
    await server.start_server()
    yield server
    await server.close()


@pytest.mark.parametrize(
    ("how", "kind"),
    [
        ("good", Done),
        ("long", Failed),
        ("404", Failed),
        ("401", Failed),
        ("429", Unknown),
        ("500", Unknown),
        ("moved", Unknown),
    ],
)
async def test_answers_over_http_in_three_values(server, how, kind):
    fetcher = Fetcher()
    try:
        assert isinstance(await fetcher.get(str(server.make_url(f"/{how}"))), kind)
    finally:
        await fetcher.close()
        await fetcher.close()


async def test_nobody_there_is_unknown(server):
    url = str(server.make_url("/good"))
    await server.close()
    fetcher = Fetcher()
    try:
        assert isinstance(await fetcher.get(url), Unknown)
    finally:
        await fetcher.close()

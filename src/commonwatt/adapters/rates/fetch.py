"""What public sources share: one small GET, bounded in time and size, and how a price and its time are read exactly.

A source is a `Ticker` over its own `address(currency)` and `parse(body, currency, fetched)`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Context, Decimal, DecimalException
from typing import Any, Protocol

import aiohttp
import msgspec

from commonwatt.kernel import Clock, Done, Failed, Instant, Outcome, Unknown
from commonwatt.tariffs.ports import Quote

TIMEOUT_S = 10
BYTES_MAX = 65_536
_OK, _TOO_MANY, _OUR_FAULT, _THEIR_FAULT = 200, 429, 400, 500
_decoder = msgspec.json.Decoder(float_hook=Decimal)
_exact = Context(prec=60, rounding=ROUND_HALF_EVEN)
_PRICE_LENGTH_MAX = 40
_SECONDS = re.compile(r"[0-9]{1,12}", re.ASCII)


class Get(Protocol):
    """Fetches one address; `Fetcher.get`, or a recorded answer in tests."""

    async def get(self, url: str) -> Outcome[bytes]:
        """Return the body of a good answer."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class Fetcher:
    """An HTTP client that the sources share; it opens with the first question."""

    def __init__(self) -> None:
        """Open nothing yet."""
        self._session: aiohttp.ClientSession | None = None

    async def get(self, url: str) -> Outcome[bytes]:
        """Return the body of a 200; `Failed` for what will not get better, `Unknown` for what may."""
        try:
            async with self._open().get(url, allow_redirects=False) as response:
                if response.status == _OK:
                    return await _body(response)
                if _OUR_FAULT <= response.status < _THEIR_FAULT and response.status != _TOO_MANY:
                    return Failed(f"HTTP status {response.status}", code="http")
                return Unknown(f"HTTP status {response.status}")
        except TimeoutError:
            return Unknown(f"no answer within {TIMEOUT_S} s")
        except (aiohttp.ClientError, OSError) as error:
            return Unknown(f"not reached: {type(error).__name__}")

    async def close(self) -> None:
        """Close the client; again is a no-op."""
        if self._session is not None:
            session, self._session = self._session, None
            await session.close()
            await asyncio.sleep(0)

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=TIMEOUT_S),
                headers={"User-Agent": "commonwatt", "Accept": "application/json"},
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=True,
            )
        return self._session


class Ticker:
    """A `RateSource` over one public address per currency."""

    def __init__(
        self,
        name: str,
        address: Callable[[str], str],
        parse: Callable[[bytes, str, Instant], Quote],
        clock: Clock,
        fetcher: Get,
    ) -> None:
        """Take where a currency's price is and how an answer is read, a clock and the shared HTTP client."""
        self.name = name
        self._address = address
        self._parse = parse
        self._clock = clock
        self._fetcher = fetcher

    async def fetch(self, currency: str) -> Outcome[Quote]:
        """Ask once."""
        answer = await self._fetcher.get(self._address(currency))
        if not isinstance(answer, Done):
            return answer
        try:
            return Done(self._parse(answer.value, currency, self._clock.now()))
        except ValueError as error:
            return Failed(str(error), code="nonsense")

    async def close(self) -> None:
        """Close the shared HTTP client."""
        await self._fetcher.close()


async def _body(response: aiohttp.ClientResponse) -> Outcome[bytes]:
    body = bytearray()
    async for chunk in response.content.iter_chunked(BYTES_MAX):
        body += chunk
        if len(body) > BYTES_MAX:
            return Failed(f"more than {BYTES_MAX} bytes", code="too-large")
    return Done(bytes(body))


def decode(body: bytes) -> Any:
    """Decode JSON with exact decimals. Raises ValueError."""
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, DecimalException, RecursionError) as error:
        msg = f"no JSON: {error}"
        raise ValueError(msg) from None


def part(value: Any, *path: str | int) -> Any:
    """Walk into decoded JSON. Raises ValueError naming what is absent."""
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            msg = f"{step!r} is missing in the answer"
            raise ValueError(msg) from None
    return value


def micro(said: Any) -> int:
    """Read a price as millionths, rounded half to even. Raises ValueError for what is no positive number."""
    if isinstance(said, bool) or not isinstance(said, str | int | Decimal) or len(str(said)) > _PRICE_LENGTH_MAX:
        msg = "the price is no number"
        raise ValueError(msg)
    try:
        number = Decimal(said)
        if not number.is_finite() or not 0 < number < 10**15:
            msg = "the price is not a positive number"
            raise ValueError(msg)
        return int(number.scaleb(6, _exact).to_integral_value(context=_exact))
    except DecimalException:
        msg = "the price is no number"
        raise ValueError(msg) from None


def unix_seconds(said: object) -> Instant:
    """Read Unix seconds. Raises ValueError for what is no whole number of them."""
    if isinstance(said, bool) or not isinstance(said, str | int) or not _SECONDS.fullmatch(str(said)):
        msg = "the time is no number of seconds"
        raise ValueError(msg)
    return Instant(1000 * int(said))

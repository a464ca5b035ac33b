"""A bad line between a station and the house: frames are lost, doubled, late, and overtake each other."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass

from commonwatt.adapters.station.transport import Transport


@dataclass(slots=True)
class Weather:
    """How bad the lines are at present, in parts of a hundred frames; all zero is a good line."""

    lost: int = 0
    doubled: int = 0
    late: int = 0
    late_s_max: float = 20.0
    """A late frame comes up to so much later, and others overtake it."""

    def clear(self) -> None:
        """Make all lines good."""
        self.lost = self.doubled = self.late = 0


class BadLine:
    """One end of a connection that suffers from the weather in both directions."""

    def __init__(self, end: Transport, weather: Weather, chance: random.Random) -> None:
        """Take a good end."""
        self._end = end
        self._weather = weather
        self._chance = chance
        self._inbox: asyncio.Queue[str | None] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()
        self._pump: asyncio.Task[None] | None = None

    async def send(self, text: str) -> None:
        """Send a frame, or lose, double or delay it."""
        for delay_s in self._fate():
            if delay_s:
                self._spawn(self._send_late(text, delay_s))
            else:
                await self._end.send(text)

    async def receive(self) -> str | None:
        """Return the next frame that came through."""
        if self._pump is None:
            self._pump = asyncio.create_task(self._read())
        return await self._inbox.get()

    async def ping(self) -> bool:
        """Ping; the weather spares it."""
        return await self._end.ping()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close; what is late is lost."""
        for task in tuple(self._tasks):
            task.cancel()
        if self._pump is not None:
            self._pump.cancel()
            self._inbox.put_nowait(None)
        await self._end.close(code, reason)

    def _fate(self) -> list[float]:
        """Return after how many seconds each copy of a frame arrives."""
        weather, chance = self._weather, self._chance
        if not (weather.lost or weather.doubled or weather.late):
            return [0.0]
        drawn = chance.randrange(100)
        if drawn < weather.lost:
            return []
        copies = 2 if drawn < weather.lost + weather.doubled else 1
        return [
            chance.uniform(0.1, weather.late_s_max) if chance.randrange(100) < weather.late else 0.0
            for _ in range(copies)
        ]

    async def _send_late(self, text: str, delay_s: float) -> None:
        await asyncio.sleep(delay_s)
        await self._end.send(text)

    async def _put_late(self, text: str, delay_s: float) -> None:
        await asyncio.sleep(delay_s)
        self._inbox.put_nowait(text)

    async def _read(self) -> None:
        while (text := await self._end.receive()) is not None:
            for delay_s in self._fate():
                if delay_s:
                    self._spawn(self._put_late(text, delay_s))
                else:
                    self._inbox.put_nowait(text)
        self._inbox.put_nowait(None)

    def _spawn(self, late: object) -> None:
        task = asyncio.create_task(late)  # type: ignore[arg-type]
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

"""What changes now, told to pages and programs as server-sent events (WHATWG HTML, section 9.2).

The database tells its notes after each commit; a `Live` hub hands them to whoever listens to their topic. Notes are
never stored: a listener that was away learns by the event `resumed` that it must read anew. A listener that does not
keep up is dropped, so that nobody slow can hold memory, and its browser connects again by itself. Whether a listener
may still hear its topics is asked anew at every heartbeat: a session may have ended, a token been revoked.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Annotated, Any

from litestar import Request, get
from litestar.params import Parameter
from litestar.response import Stream

from commonwatt.kernel import Missing, Unavailable
from commonwatt.kit.database import Note
from commonwatt.kit.web.described import refuses
from commonwatt.kit.web.encoding import to_json
from commonwatt.kit.web.errors import BadRequest, TooManyRequests
from commonwatt.kit.web.surroundings import client_of

TopicGate = Callable[[Request[Any, Any, Any], str], Awaitable[str | None]]
"""Translates a topic that a visitor names into the one that is told, or None when it is not for him.

A driver's page names its session by the secret of its link; the gate returns the session's own topic for it. The gate
is asked again while the stream is open, so it finds out anew who asks.
"""
StillWelcome = Callable[[], Awaitable[bool]]
"""Whether a listener may still hear all that it listens to."""

WAITING_MAX = 256
LISTENERS_MAX = 2000
LISTENERS_PER_CLIENT = 40
TOPICS_MAX = 50
HEARTBEAT_S = 15
EVERYTHING = "*"


class Listener:
    """One open stream: the notes that wait for it."""

    def __init__(self, topics: Mapping[str, str], client: str) -> None:
        """Take the topics that are told and the names under which this listener knows them."""
        self.topics = dict(topics)
        self.client = client
        self.waiting: asyncio.Queue[tuple[int, str, Note] | None] = asyncio.Queue(WAITING_MAX)

    def tell(self, number: int, shown: str, note: Note) -> bool:
        """Put a note into the queue; return False when there is no room."""
        try:
            self.waiting.put_nowait((number, shown, note))
        except asyncio.QueueFull:
            return False
        return True

    def end(self) -> None:
        """Let the stream end; what still waits is given up."""
        while not self.waiting.empty():
            self.waiting.get_nowait()
        self.waiting.put_nowait(None)


class Live:
    """The hub: `database.on_notes.append(live.hear)` feeds it."""

    def __init__(self) -> None:
        """Begin with nobody listening."""
        self._listeners: dict[str, dict[Listener, str]] = {}
        self._all: set[Listener] = set()
        self._number = 0
        self._closed = False

    def __len__(self) -> int:
        """Return how many listen."""
        return len(self._all)

    def hear(self, notes: list[Note]) -> None:
        """Hand notes to the listeners of their topics, in order; on the loop's thread."""
        for note in notes:
            self._number += 1
            head = note.topic.partition("/")[0]
            for told in (note.topic, f"{head}/*", EVERYTHING):
                for listener, shown in list(self._listeners.get(told, {}).items()):
                    name = shown if told == note.topic else note.topic
                    if not listener.tell(self._number, name, note):
                        self.remove(listener)
                        listener.end()

    def add(self, topics: Mapping[str, str], client: str = "") -> Listener:
        """Begin to listen. Raises Unavailable or TooManyRequests when there are too many already."""
        if self._closed or len(self._all) >= LISTENERS_MAX:
            raise Unavailable("Too many pages listen at this moment; yours still works, reload it to see what is new.")
        if sum(1 for other in self._all if other.client == client) >= LISTENERS_PER_CLIENT:
            raise TooManyRequests("Too many live streams are open from this address; close some.", retry_after=30)
        listener = Listener(topics, client)
        self._all.add(listener)
        for told, shown in topics.items():
            self._listeners.setdefault(told, {})[listener] = shown
        return listener

    def remove(self, listener: Listener) -> None:
        """Stop listening."""
        self._all.discard(listener)
        for told in listener.topics:
            others = self._listeners.get(told, {})
            others.pop(listener, None)
            if not others:
                self._listeners.pop(told, None)

    def close(self) -> None:
        """End all streams, before the server stops."""
        self._closed = True
        for listener in list(self._all):
            self.remove(listener)
            listener.end()

    async def stream(
        self, topics: Mapping[str, str], client: str, *, resumed: bool = False, welcome: StillWelcome | None = None
    ) -> AsyncIterator[bytes]:
        """Tell the notes of some topics as an event stream.

        It ends when the reader leaves, lags, or is not welcome any more at a heartbeat, and when the server stops.
        """
        listener = self.add(topics, client)
        try:
            yield b"retry: 2000\n\n"
            if resumed:
                yield b"event: resumed\ndata: {}\n\n"
            beat = time.monotonic() + HEARTBEAT_S
            while True:
                try:
                    told = await asyncio.wait_for(listener.waiting.get(), max(0.0, beat - time.monotonic()))
                except TimeoutError:
                    if welcome is not None and not await welcome():
                        return
                    beat = time.monotonic() + HEARTBEAT_S
                    yield b"event: ping\ndata: {}\n\n"
                    continue
                if told is None:
                    return
                yield frame(*told)
        finally:
            self.remove(listener)


def frame(number: int, topic: str, note: Note) -> bytes:
    """Write one event; `data` is one line of JSON: `{"topic": ..., "name": ..., "data": {...}}`."""
    data = to_json({"topic": topic, "name": note.name, "data": note.data})
    return b"id: %d\ndata: %s\n\n" % (number, data)


TopicsParameter = Annotated[str, Parameter(description="topics, separated by commas")]
RequiredTopics = Annotated[
    str,
    Parameter(
        description=f"1 to {TOPICS_MAX} topics, separated by commas. `station/<identity>`: all of a station; "
        "`connector/<name>`: whether a connector is free (needs no token); `session/<id>`: a session's energy, cost, "
        "state and money (`session/<secret>` with the secret of its link needs no token); `station/*`, `session/*`: of "
        "all of them; `overview`: what changes in lists of stations, sessions and payments; `tariffs`, `rates`, "
        "`books`, `jobs`, `audit`; `*`: everything. Each asks for the scopes that reading it asks for."
    ),
]


async def _open(request: Request[Any, Any, Any], live: Live, topic_gate: TopicGate, topics: str) -> Stream:
    wanted = [topic.strip() for topic in topics.split(",") if topic.strip()]
    if not 0 < len(wanted) <= TOPICS_MAX:
        raise BadRequest(f"`topics` names one to {TOPICS_MAX} topics, separated by commas.", field="topics")
    allowed: dict[str, str] = {}
    for topic in wanted:
        told = await topic_gate(request, topic)
        if told is None:
            raise Missing(f"There is no topic {topic[:80]!r}, or it is not for you.", topic=topic[:80])
        allowed[told] = topic

    async def welcome() -> bool:
        return all([await topic_gate(request, shown) == told for told, shown in allowed.items()])

    resumed = "last-event-id" in request.headers
    body = live.stream(allowed, client_of(request.scope), resumed=resumed, welcome=welcome)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return Stream(body, media_type="text/event-stream", headers=headers)


@get("/live", include_in_schema=False, name="live")
async def page_events(
    request: Request[Any, Any, Any], live: Live, topic_gate: TopicGate, topics: TopicsParameter = ""
) -> Stream:
    """Tell pages what changes now."""
    return await _open(request, live, topic_gate, topics)


@get(
    "/api/v1/events",
    tags=["live"],
    summary="Follow live events",
    media_type="text/event-stream",
    opt=refuses({404: "There is no such topic, or none that this client may hear."}),
)
async def api_events(
    request: Request[Any, Any, Any], live: Live, topic_gate: TopicGate, topics: RequiredTopics
) -> Stream:
    """Stream events of the named topics; each event's data is an object of topic, name and data."""
    return await _open(request, live, topic_gate, topics)


async def closed_gate(request: Request[Any, Any, Any], topic: str) -> str | None:
    """Allow no topic: the gate of an application that sets none."""
    del request, topic
    return None


ROUTES = [page_events, api_events]

"""How a station reaches the server: over a real WebSocket, or through memory in the simulated world."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import quote

import aiohttp

from commonwatt.adapters.station.transport import Transport
from commonwatt.adapters.station.virtual.faults import Fault, Faults
from commonwatt.kit.reason import reason_of

SUBPROTOCOL: Final = "ocpp1.6"
_FRAME_BYTES_MAX: Final = 1 << 20
_SWITCHED: Final = 101
_UNWELCOME: Final = frozenset({400, 401, 403, 404, 409, 422, 426})
_REASON_MAX, _REASON_S = 400, 2.0
"""How much of a refusal's text is read, and how long, in bytes and seconds."""
_HELD: Final = (ConnectionError, RuntimeError, aiohttp.ClientError)


class LinkLost(ConnectionError):
    """The connection is gone or could not be made; its text says what the station saw."""


class Unwelcome(LinkLost):
    """The server refused the handshake; dialling again changes nothing until its operator does something."""

    def __init__(self, said: str, status: int) -> None:
        """Take what the station saw, and the HTTP status of the refusal."""
        super().__init__(said)
        self.status = status


Dial = Callable[[], Awaitable[Transport]]
"""Makes one connection to the server; raises LinkLost."""


class WebSocketTransport:
    """A WebSocket as a client, and the HTTP session that it came from."""

    def __init__(self, session: aiohttp.ClientSession, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Take both; closing the transport closes both."""
        self._session = session
        self._socket = socket

    async def send(self, text: str) -> None:
        """Send a text frame; a broken connection swallows it and shows itself to the reader."""
        try:
            await self._socket.send_str(text)
        except _HELD:
            return

    async def receive(self) -> str | None:
        """Return the next text frame, or None once the connection is closed; binary ones are no OCPP-J."""
        message = await self._socket.receive()
        match message.type:
            case aiohttp.WSMsgType.TEXT:
                return str(message.data)
            case aiohttp.WSMsgType.BINARY:
                return ""
            case _:
                return None

    async def ping(self) -> bool:
        """Return whether a ping could be sent; it is the server that watches over stations."""
        try:
            await self._socket.ping()
        except _HELD:
            return False
        return True

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the socket and the session."""
        await self._socket.close(code=code, message=reason.encode())
        await self._session.close()


def station_url(url: str, identity: str) -> str:
    """Return the address of a station (OCPP-J 1.6, 3.1.1): the endpoint, a slash, the identity percent-encoded."""
    tail = "/" + quote(identity, safe="")
    return url if url.endswith(tail) else url.rstrip("/") + tail


def dial_web_socket(url: str, identity: str, password: str | None, faults: Faults) -> Dial:
    """Return a dial for the real network: Basic auth when there is a password, subprotocol `ocpp1.6`."""
    address = station_url(url, identity)
    protocols = () if Fault.NO_SUBPROTOCOL in faults else (SUBPROTOCOL,)
    headers = {"Authorization": aiohttp.encode_basic_auth(identity, password)} if password is not None else {}

    async def dial() -> Transport:
        said: list[str] = []
        session = aiohttp.ClientSession(trace_configs=[_listening(said)])
        try:
            socket = await session.ws_connect(
                address,
                protocols=protocols,
                headers=headers,
                compress=0,
                max_msg_size=_FRAME_BYTES_MAX,
                timeout=aiohttp.ClientWSTimeout(ws_close=1.0),
            )
        except aiohttp.WSServerHandshakeError as error:
            await session.close()
            told = f' The server says: "{said[0].rstrip(".")}."' if said else ""
            seen = f"{_refusal(identity, error.status)}.{told}"
            raise (Unwelcome(seen, error.status) if error.status in _UNWELCOME else LinkLost(seen)) from error
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            await session.close()
            raise LinkLost(f"no connection to {address}: {reason_of(error)}.") from error
        except BaseException:
            await session.close()
            raise
        return WebSocketTransport(session, socket)

    return dial


def _listening(said: list[str]) -> aiohttp.TraceConfig:
    """Return what keeps the first line of a refusal's text, which the client itself throws away."""
    trace = aiohttp.TraceConfig()

    async def hear(_session: object, _context: object, end: aiohttp.TraceRequestEndParams) -> None:
        if end.response.status == _SWITCHED:
            return
        with contextlib.suppress(aiohttp.ClientError, TimeoutError, UnicodeError):
            async with asyncio.timeout(_REASON_S):
                text = (await end.response.content.read(_REASON_MAX)).decode(errors="replace")
            line = "".join(char for char in text.strip().partition("\n")[0] if char.isprintable())
            if line and not line.startswith("<"):
                said.append(line)

    trace.on_request_end.append(hear)
    return trace


def _refusal(identity: str, status: int) -> str:
    match status:
        case 401:
            return f"the server does not take the password of {identity} (401); ask its operator for the right one"
        case 403 | 404:
            return f"the server does not know {identity} ({status}); ask its operator to add or admit it"
        case _:
            return f"the server refused the connection with {status}"


class MemoryTransport:
    """One end of a connection in memory; what one end sends the other receives, in order."""

    def __init__(self) -> None:
        """Make an end without its other; see `memory_pair`."""
        self._inbox: asyncio.Queue[str | None] = asyncio.Queue()
        self._closed = False
        self.other: MemoryTransport | None = None

    async def send(self, text: str) -> None:
        """Put a frame into the other end's inbox; a closed connection swallows it."""
        if not self._closed and self.other is not None:
            self.other._inbox.put_nowait(text)  # noqa: SLF001 (the other half of the same thing)

    async def receive(self) -> str | None:
        """Return the next frame from the inbox, or None once the connection is closed."""
        if self._closed and self._inbox.empty():
            return None
        return await self._inbox.get()

    async def ping(self) -> bool:
        """Return whether the connection is open."""
        return not self._closed

    async def close(self, code: int = 1000, reason: str = "") -> None:  # noqa: ARG002 (the port's shape)
        """Close both ends; what is in flight still arrives."""
        for end in (self, self.other):
            if end is not None and not end._closed:  # noqa: SLF001 (the other half of the same thing)
                end._closed = True  # noqa: SLF001
                end._inbox.put_nowait(None)  # noqa: SLF001


def memory_pair() -> tuple[MemoryTransport, MemoryTransport]:
    """Return the two ends of a connection in memory."""
    one, other = MemoryTransport(), MemoryTransport()
    one.other, other.other = other, one
    return one, other

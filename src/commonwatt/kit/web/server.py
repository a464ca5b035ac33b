"""Serves an application in the running loop: a socket that knows its port first, then uvicorn on it."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn

from commonwatt.kernel import Unavailable
from commonwatt.kit.crowd import TLS_S, Crowd
from commonwatt.kit.web.heads import TimedHeads

BACKLOG = 1024
STOP_S = 5
"""Requests that run when the server stops have so long to end."""


CONNECTIONS_MAX = 4096
"""Connections at once where the assembly says nothing else."""


class CannotListen(Unavailable):
    """The address to listen on is taken or not ours."""

    slug = "cannot-listen"
    title = "Cannot listen"


def listen(host: str, port: int, *, or_free: bool = False) -> socket.socket:
    """Take a port; 0, and with `or_free` one that is taken, picks a free one; `sock.getsockname()[1]` tells which.

    Whoever calls before the server answers waits: a port that is only bound could be taken by two. Raises CannotListen.
    """
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        with contextlib.ExitStack() as failing:
            sock = failing.enter_context(socket.socket(family, kind, protocol))
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(address)
            sock.listen(BACKLOG)
            failing.pop_all()
    except OSError as error:
        if or_free and error.errno == errno.EADDRINUSE:
            return listen(host, 0)
        where = f"{host or '*'}:{port}"
        raise CannotListen(
            f"{where} cannot be opened ({error.strerror or error}). Choose another port or stop what uses it.",
            address=where,
        ) from error
    sock.setblocking(False)
    return sock


class _Uvicorn(uvicorn.Server):
    """uvicorn without its signal handlers: whoever assembled the process stops it. It listens with our connections."""

    def __init__(self, config: uvicorn.Config, crowd: Crowd) -> None:
        super().__init__(config)
        self._crowd = crowd

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=[])
        self.started = False
        build = partial(
            TimedHeads,
            self._crowd,
            config=self.config,
            server_state=self.server_state,
            app_state=self.lifespan.state,
        )
        loop, tls = asyncio.get_running_loop(), self.config.ssl
        for sock in sockets or []:
            server = await loop.create_server(
                build, sock=sock, ssl=tls, backlog=BACKLOG, ssl_handshake_timeout=TLS_S if tls else None
            )
            self.servers.append(server)
        self.started = True

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class RunningServer:
    """A server that answers."""

    def __init__(self, app: Any, server: uvicorn.Server, task: asyncio.Task[None], port: int) -> None:
        """Take what `serve` started."""
        self._app = app
        self._server = server
        self._task = task
        self.port = port

    async def stop(self) -> None:
        """Stop taking requests, end live streams, let the other requests end, and close the sockets."""
        live = getattr(getattr(self._app, "state", None), "live", None)
        if live is not None:
            live.close()
        self._server.should_exit = True
        await self._task

    async def wait(self) -> None:
        """Return when the server has stopped, however that came."""
        await asyncio.shield(self._task)


async def serve(
    app: Any,
    sock: socket.socket,
    *,
    certificate: Path | None = None,
    key: Path | None = None,
    crowd: Crowd | None = None,
) -> RunningServer:
    """Serve an application on a bound socket; return once it answers. TLS when a certificate and its key are given.

    `crowd` says how many connections there may be.
    """
    config = uvicorn.Config(
        app,
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=STOP_S,
        timeout_keep_alive=30,
        ssl_certfile=certificate,
        ssl_keyfile=key,
    )
    server = _Uvicorn(config, crowd if crowd is not None else Crowd(CONNECTIONS_MAX, name="http"))
    port = int(sock.getsockname()[1])
    task = asyncio.create_task(server.serve(sockets=[sock]), name="http")
    started = asyncio.create_task(_until_started(server, task, port), name="http start")
    try:
        await asyncio.shield(started)
    except asyncio.CancelledError:
        await started
        server.should_exit = True
        await task
        raise
    return RunningServer(app, server, task, port)


async def _until_started(server: uvicorn.Server, task: asyncio.Task[None], port: int) -> None:
    while not server.started:
        if task.done():
            task.result()
            raise CannotListen("The web server ended before it answered; the log says why.", address=str(port))
        await asyncio.sleep(0.005)

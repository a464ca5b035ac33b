"""A running server: the house, the stations' listener and the pages, from one configuration, in one process."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial

from commonwatt import members
from commonwatt.adapters.station.admission import Policy, Strangers
from commonwatt.adapters.station.listener import Listener, start_listener, tls_context
from commonwatt.adapters.station.ocpp16.dialect import Ocpp16
from commonwatt.kernel import Clock, Ids, RandomIds
from commonwatt.kit.cli.problems import OK, STOPPED
from commonwatt.kit.clock import SystemClock
from commonwatt.kit.crowd import Crowd, open_more_files, room
from commonwatt.kit.database import open_engine
from commonwatt.kit.reason import reason_of
from commonwatt.kit.running import Running, base_address, note_running, only_server, reachable
from commonwatt.kit.web import CannotListen, Site, listen, serve
from commonwatt.main.asgi import build_pages, proxies_of
from commonwatt.main.assembly import House, Limits, assemble, station_ports
from commonwatt.main.config import Address, Config, StationAuth, UnknownStations
from commonwatt.main.migrations import migrate
from commonwatt.main.worlds import Worlds, open_worlds, rules_of
from commonwatt.payments import LnurlClient
from commonwatt.stations import stations_address


@dataclass(frozen=True, slots=True)
class Serving:
    """A server that is ready: where it listens, and what it consists of."""

    house: House
    worlds: Worlds
    listener: Listener
    http_port: int
    stations_url: str
    """What stations connect to, without their identity."""
    setup_link: str | None
    """The first owner's one-time link, while there is no owner."""

    @property
    def site(self) -> Site:
        """What people see."""
        return self.house.site


@contextlib.asynccontextmanager
async def serving(
    config: Config, *, clock: Clock | None = None, ids: Ids | None = None, limited: bool = True
) -> AsyncIterator[Serving]:
    """Start everything, yield once it answers, and stop it in order; raises DataInUse, CannotListen, NotSaved."""
    clock, ids = clock or SystemClock(), ids or RandomIds()
    data = config.data.dir
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    async with contextlib.AsyncExitStack() as stack:
        lock = stack.enter_context(only_server(data))
        engine = open_engine(config.data.database)
        migrate(engine)
        sock = listen(config.http.bind.host, config.http.bind.port, or_free=config.http.bind.or_free)
        stack.callback(sock.close)
        site = site_of(config, sock.getsockname()[1])
        worlds = await open_worlds(config, clock, ids)
        stack.push_async_callback(worlds.close)
        purses = LnurlClient(allow_loopback=config.sandbox)
        stack.push_async_callback(purses.close)
        rules = rules_of(config)
        house = assemble(
            site=site,
            engine=engine,
            clock=clock,
            ids=ids,
            rails=worlds.rails,
            rules=rules,
            fetch=purses.fetch_invoice,
            limits=Limits(config.frames.days, config.frames.megabytes, config.stations.call_timeout_s),
            rate_sources=worlds.rate_sources,
            rate_policy=worlds.rate_policy,
            rate_every_s=config.rates.refresh_s,
        )
        stack.push_async_callback(house.stop)
        await house.start()
        files = open_more_files()
        listener = await _listen_to_stations(config, house, files)
        stack.push_async_callback(listener.close)
        bind = Address(config.stations.bind.host, listener.port)
        heard = replace(config, stations=replace(config.stations, bind=bind))
        app = build_pages(heard, house, worlds, limited=limited)
        crowd = Crowd(room(config.http.connections_max, files), spared=proxies_of(config), name="http")
        pages = await serve(app, sock, certificate=config.http.tls_certificate, key=config.http.tls_key, crowd=crowd)
        stack.push_async_callback(pages.stop)
        setup = await house.database.write(members.offer_setup)
        link = None if setup is None else site.url(setup.path)
        url = stations_address(heard, site).removesuffix("/")
        port = sock.getsockname()[1]
        binds = (str(Address(config.http.bind.host, port)), str(bind))
        note_running(lock, Running(site.base_url, _here(config, port), url, *binds))
        yield Serving(house, worlds, listener, sock.getsockname()[1], url, link)


async def _listen_to_stations(config: Config, house: House, files: int) -> Listener:
    """Open the stations' socket; raises CannotListen when it is taken or the TLS files cannot be read."""
    stations = config.stations
    dialect = Ocpp16(house.database, station_ports(house.rules), heartbeat_s=stations.heartbeat_s)
    crowd = Crowd(room(stations.connections_max, files), spared=proxies_of(config), name="stations")
    try:
        tls = None
        if stations.tls_certificate is not None and stations.tls_key is not None:
            tls = tls_context(stations.tls_certificate, stations.tls_key)
        start = partial(
            start_listener,
            stations.bind.host,
            database=house.database,
            clock=house.clock,
            hub=house.hub,
            policy=policy_of(config),
            dialects=[dialect],
            tls=tls,
            crowd=crowd,
        )
        return await _at_port(start, stations.bind)
    except OSError as error:
        where = str(stations.bind)
        todo = "Choose another port with --stations, or look at the TLS files."
        msg = f"Stations cannot connect at {where} ({reason_of(error)}). {todo}"
        raise CannotListen(msg, address=where) from error


async def _at_port(start: Callable[[int], Awaitable[Listener]], bind: Address) -> Listener:
    try:
        return await start(bind.port)
    except OSError as error:
        if not (bind.or_free and error.errno == errno.EADDRINUSE):
            raise
        return await start(0)


def _here(config: Config, port: int) -> str:
    """Return what programs of this machine call; with TLS the name matters, so it is the site's own."""
    if config.http.tls_certificate is not None:
        return base_address(config, port)
    return f"http://{reachable(config.http.bind.host)}:{port}"


def site_of(config: Config, port: int) -> Site:
    """Return what people see; an empty base_url becomes localhost with the port that was bound."""
    site = config.site
    return Site(
        name=site.name,
        base_url=base_address(config, port),
        timezone=site.timezone,
        currency=site.currency,
        sandbox=config.sandbox,
        accent=site.accent,
        language=site.language,
        contact=site.contact,
    )


def policy_of(config: Config) -> Policy:
    """Return the rule for stations."""
    return Policy(
        require_password=config.stations.auth is StationAuth.REQUIRED,
        strangers=Strangers.WAIT if config.stations.unknown is UnknownStations.WAITING_ROOM else Strangers.REJECT,
    )


def hear_stop() -> asyncio.Future[int]:
    """Return the exit code to come when the process is asked to stop: by Ctrl-C (SIGINT), or in order by SIGTERM.

    To be called before anybody is told that the process is ready: whoever reads that may stop it in the same moment.
    """
    stopped: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def stop(code: int) -> None:
        if not stopped.done():
            stopped.set_result(code)

    for number, code in ((signal.SIGINT, STOPPED), (signal.SIGTERM, OK)):
        asyncio.get_running_loop().add_signal_handler(number, stop, code)
    return stopped

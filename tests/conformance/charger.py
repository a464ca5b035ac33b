"""A charge point on the PyPI library `ocpp`, on an aiohttp socket: one connector, whose register tests move."""

import asyncio
import contextlib
from datetime import UTC, datetime

import aiohttp
from ocpp.routing import on
from ocpp.v16 import ChargePoint, call, call_result
from ocpp.v16.enums import Action, ChargePointStatus, ConfigurationStatus, RemoteStartStopStatus

PATIENCE_S = 20
START_WH = 1_234_567


class Wire:
    """aiohttp's client socket, as the library wants it."""

    def __init__(self, socket):
        self.socket = socket

    async def recv(self):
        message = await self.socket.receive()
        if message.type is not aiohttp.WSMsgType.TEXT:
            raise ConnectionError
        return message.data

    async def send(self, text):
        await self.socket.send_str(text)


class Charger(ChargePoint):
    """Accepts what it is asked and says what happens; the test is its car."""

    def __init__(self, identity, wire):
        super().__init__(identity, wire)
        self.register_wh = START_WH
        self.transaction_id = None
        self.tags = asyncio.Queue()
        self.stops = asyncio.Queue()

    @on(Action.remote_start_transaction)
    def on_remote_start(self, id_tag, connector_id, **_more):
        self.tags.put_nowait((connector_id, id_tag))
        return call_result.RemoteStartTransaction(RemoteStartStopStatus.accepted)

    @on(Action.remote_stop_transaction)
    def on_remote_stop(self, transaction_id, **_more):
        known = transaction_id == self.transaction_id
        if known:
            self.stops.put_nowait(transaction_id)
        status = RemoteStartStopStatus.accepted if known else RemoteStartStopStatus.rejected
        return call_result.RemoteStopTransaction(status)

    @on(Action.get_configuration)
    def on_get_configuration(self, key=None, **_more):
        return call_result.GetConfiguration(configuration_key=[], unknown_key=key or [])

    @on(Action.change_configuration)
    def on_change_configuration(self, **_more):
        return call_result.ChangeConfiguration(ConfigurationStatus.not_supported)

    async def boot(self):
        """Introduce itself; its connector is free."""
        answer = await self.call(call.BootNotification("One", "Acme", firmware_version="1"))
        await self.status(ChargePointStatus.available)
        return answer

    async def status(self, status, connector=1):
        await self.call(call.StatusNotification(connector, "NoError", status, timestamp=_now()))

    async def begin(self):
        """Wait until it is asked to start, let the car be plugged in, and begin the transaction; return the tag."""
        async with asyncio.timeout(PATIENCE_S):
            connector, tag = await self.tags.get()
        await self.status(ChargePointStatus.preparing, connector)
        started = await self.call(call.StartTransaction(connector, tag, self.register_wh, _now()))
        assert started.id_tag_info["status"] == "Accepted"
        self.transaction_id = started.transaction_id
        await self.status(ChargePointStatus.charging, connector)
        return tag

    async def meter(self, wh):
        """Let so much energy flow and send the register."""
        self.register_wh += wh
        sampled = [{"value": str(self.register_wh), "unit": "Wh", "measurand": "Energy.Active.Import.Register"}]
        value = {"timestamp": _now(), "sampledValue": sampled}
        await self.call(call.MeterValues(1, [value], self.transaction_id))

    async def end(self, reason="EVDisconnected"):
        """End the transaction and let the car go."""
        stop = call.StopTransaction(self.register_wh, _now(), self.transaction_id, reason=reason)
        await self.call(stop)
        self.transaction_id = None
        await self.status(ChargePointStatus.finishing)
        await self.status(ChargePointStatus.available)

    async def end_when_asked(self, more_wh=0, after_s=0.0):
        """Wait for the remote stop, let some more energy flow meanwhile, and end."""
        async with asyncio.timeout(PATIENCE_S):
            await self.stops.get()
        await asyncio.sleep(after_s)
        self.register_wh += more_wh
        await self.end("Remote")


@contextlib.asynccontextmanager
async def charger_at(url, identity):
    """Connect a charger and let it boot."""
    async with aiohttp.ClientSession() as session:
        socket = await session.ws_connect(f"{url}/{identity}", protocols=("ocpp1.6",))
        charger = Charger(identity, Wire(socket))
        reading = asyncio.create_task(charger.start())
        try:
            await charger.boot()
            yield charger
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            await socket.close()


def _now():
    return datetime.now(UTC).isoformat()

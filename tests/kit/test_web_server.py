"""The web server starts and stops in order, whenever it is told to stop."""

import asyncio

import pytest

from commonwatt.kit.web import listen, serve


class App:
    """Takes its time to start; remembers what it was told of its life."""

    def __init__(self):
        self.told = []

    async def __call__(self, scope, receive, send):
        assert scope["type"] == "lifespan"
        for _ in range(2):
            message = await receive()
            await asyncio.sleep(0.05)
            self.told.append(message["type"])
            await send({"type": message["type"] + ".complete"})


@pytest.mark.parametrize("after_s", [0, 0.001, 0.03])
async def test_who_is_stopped_while_it_starts_still_ends_in_order(caplog, after_s):
    app = App()
    starting = asyncio.create_task(serve(app, listen("127.0.0.1", 0)))
    await asyncio.sleep(after_s)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(asyncio.shield(starting), 5)
    assert app.told in ([], ["lifespan.startup", "lifespan.shutdown"])
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []

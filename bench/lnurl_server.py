"""The server behind the LNURL benchmark, in a process of its own: says where it is, then its CPU seconds when asked.

python bench/lnurl_server.py FOLDER
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

import uvloop

from commonwatt import stations, tariffs
from commonwatt.kernel import EUR
from commonwatt.kit.database import Work
from commonwatt.kit.log import configure_log
from commonwatt.main.config import Address, Config, Data, Http, Payments, StationAuth
from commonwatt.main.config import Stations as StationsConfig
from commonwatt.main.serving import serving

STATION = "CP-1"
CONNECTORS = 32


def furnish(work: Work) -> list[str]:
    """Add the station and a price; return the connectors' names."""
    stations.add_station(work, STATION, with_password=False)
    element = tariffs.Element((tariffs.Component(tariffs.Kind.ENERGY, 450_000, 200_000),))
    tariff = tariffs.create_tariff(work, tariffs.Tariff("", "", "Standard", EUR, (element,), vat_included=True))
    tariffs.assign_tariff(work, tariff.id)
    return [stations.ensure_connector(work, STATION, number) for number in range(1, CONNECTORS + 1)]


async def main() -> None:
    anywhere = Address("127.0.0.1", 0)
    config = Config(
        data=Data(dir=Path(sys.argv[1])),
        http=Http(bind=anywhere),
        stations=StationsConfig(bind=anywhere, auth=StationAuth.OPEN_FOR_TRIAL),
        payments=Payments(rails=("sandbox",)),
    )
    configure_log("json", "warning", sys.stderr)
    async with serving(config, limited=False) as running:
        names = await running.house.database.write(furnish)
        print(
            json.dumps({"http": running.http_port, "stations": running.stations_url, "connectors": names}), flush=True
        )
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while await reader.readline():
            print(json.dumps({"cpu_s": time.process_time()}), flush=True)


if __name__ == "__main__":
    uvloop.run(main())

"""What a demo needs of the configuration: play money, open stations on this machine, quick readings, free ports."""

from __future__ import annotations

import socket
from dataclasses import replace

from commonwatt.main.config import Address, Config, StationAuth, UnknownStations

FIRST_HTTP, FIRST_STATIONS = 8080, 8180


def demo_config(config: Config, http: Address | None = None, stations: Address | None = None) -> Config:
    """Return the configuration with what a demo needs: play money, open stations on this machine, quick readings."""
    return replace(
        config,
        site=replace(config.site, name="Commonwatt demo"),
        http=replace(config.http, bind=http or Address("127.0.0.1", free_port(FIRST_HTTP))),
        stations=replace(
            config.stations,
            bind=stations or Address("127.0.0.1", free_port(FIRST_STATIONS)),
            auth=StationAuth.OPEN_FOR_TRIAL,
            unknown=UnknownStations.WAITING_ROOM,
        ),
        payments=replace(config.payments, rails=("sandbox",)),
        charging=replace(config.charging, sample_s=5),
    )


def free_port(wanted: int) -> int:
    """Return the wanted port when it is free, else 0: any."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            return 0
    return wanted

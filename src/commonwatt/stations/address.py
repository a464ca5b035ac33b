"""Where stations connect: what an owner types into a charger's settings."""

from __future__ import annotations

from typing import Any

from commonwatt.kit.running import listens_everywhere, reachable
from commonwatt.kit.web import Site


def stations_address(config: Any, site: Site) -> str:
    """Return the central system's address without an identity, such as `wss://charge.example/ocpp/`.

    It is the one that the configuration names, else the host and port on which stations are heard, where all hosts of
    this machine are this site's (OCPP-J 1.6, 3.1.1: the station adds its identity).
    """
    told = config.stations
    scheme = "wss" if told.tls_certificate else "ws"
    host = reachable(site.host if listens_everywhere(told.bind.host) else told.bind.host)
    base = told.public_url or f"{scheme}://{host}:{told.bind.port}"
    return f"{base}/ocpp/"


def heard_here_only(config: Any) -> bool:
    """Whether only stations on this machine itself reach the port on which stations are heard."""
    return not config.stations.public_url and config.stations.bind.host in {"127.0.0.1", "::1", "localhost"}


def open_for_trial(config: Any) -> bool:
    """Whether stations may come without a password."""
    return str(config.stations.auth) == "open-for-trial"

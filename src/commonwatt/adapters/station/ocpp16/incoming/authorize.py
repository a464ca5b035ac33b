"""Authorize (OCPP 1.6, 4.1): whether an id tag may charge here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from commonwatt.adapters.station.dialect import Caller, Received
from commonwatt.adapters.station.ocpp16.incoming.handler import Handler
from commonwatt.charging.reports import Authorisation
from commonwatt.kit.database import Database, Work


def authorize(database: Database, authorise: Callable[[Work, str, str], Authorisation]) -> Handler:
    """Ask charging."""

    async def answer(caller: Caller, _received: Received, request: dict[str, Any]) -> dict[str, Any]:
        verdict = await database.write(authorise, caller.identity, request["idTag"])
        return {"idTagInfo": {"status": verdict.value}}

    return answer

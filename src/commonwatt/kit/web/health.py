"""Whether we live, whether we can serve, and how it goes: for load balancers and Prometheus."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from litestar import Response, get
from litestar.types import Guard
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest

from commonwatt.kit.database import Database, Work
from commonwatt.kit.web.encoding import Answer

Check = Callable[[], Awaitable[str | None]]
"""Returns None when all is well, else what is wrong in a few words."""
CHECK_S = 5


@get("/healthz", include_in_schema=False, opt={"no_limit": True, "any_host": True})
async def healthz() -> dict[str, str]:
    """Say that the process lives."""
    return {"status": "alive"}


def _nothing(work: Work) -> None:
    work.sql.exec_driver_sql("SELECT 1")


async def _ask(check: Check) -> str | None:
    try:
        return await asyncio.wait_for(check(), CHECK_S)
    except TimeoutError:
        return f"no answer within {CHECK_S} s"
    except Exception as error:  # noqa: BLE001 (whatever it is, it is the finding)
        return f"{type(error).__name__}: {error}"


def health_routes(database: Database, checks: Mapping[str, Check], guards: Sequence[Guard]) -> list[Any]:
    """Return the handlers; `guards` protect `/metrics`, which tells about business."""

    async def writes() -> str | None:
        await database.write(_nothing)
        return None

    every: dict[str, Check] = {"database": writes, **checks}

    @get("/readyz", include_in_schema=False, opt={"no_limit": True, "any_host": True})
    async def readyz() -> Answer[dict[str, Any]]:
        """Try each part; 503 names those that do not work."""
        found = dict(zip(every, await asyncio.gather(*(_ask(check) for check in every.values())), strict=True))
        bad = any(found.values())
        parts = {name: wrong or "ok" for name, wrong in found.items()}
        return Answer({"status": "not ready" if bad else "ready", "parts": parts}, status_code=503 if bad else 200)

    @get("/metrics", include_in_schema=False, guards=list(guards), opt={"no_limit": True, "any_host": True})
    async def metrics() -> Response[bytes]:
        """Return all metrics in the text format of Prometheus."""
        return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)

    return [healthz, readyz, metrics]

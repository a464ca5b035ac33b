"""Asks the sources what a bitcoin costs and keeps the answer: a step that repeats."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec
import structlog
from sqlalchemy import insert

from commonwatt.kernel import Done, Failed
from commonwatt.kit.database import Database, Work
from commonwatt.tariffs.model.rate import Quote, Rate, combine
from commonwatt.tariffs.ports import RateSource
from commonwatt.tariffs.store import rates

FETCH_S = 15
_log = structlog.get_logger("rates")


@dataclass(frozen=True, slots=True)
class RatePolicy:
    """What makes a price believable. Defaults suit public sources; a fixed rate alone needs `minimum` 1."""

    max_age_s: int = 600
    max_deviation_ppm: int = 20_000
    minimum: int = 2


async def refresh_rates(
    database: Database, sources: Sequence[RateSource], currency: str, policy: RatePolicy | None = None
) -> Rate:
    """Ask all sources at once, combine what can be believed, store it and return it with its id.

    A source that raises or hangs counts as silent. Raises NoRate when too few are believed; the newest stored rate
    then serves until it is too old.
    """
    chosen = policy or RatePolicy()
    answers = await asyncio.gather(*(_ask(source, currency) for source in sources))
    rate = combine(
        [answer for answer in answers if isinstance(answer, Quote)],
        database.clock.now(),
        max_age_s=chosen.max_age_s,
        max_deviation_ppm=chosen.max_deviation_ppm,
        minimum=chosen.minimum,
    )
    silent = tuple(answer for answer in answers if isinstance(answer, str))
    return await database.write(store_rate, replace(rate, dropped=rate.dropped + silent))


async def _ask(source: RateSource, currency: str) -> Quote | str:
    try:
        outcome = await asyncio.wait_for(source.fetch(currency), FETCH_S)
    except TimeoutError:
        outcome = Failed("no answer in time")
    except Exception as error:  # noqa: BLE001 (one broken source must not silence the others)
        outcome = Failed(repr(error))
    if isinstance(outcome, Done):
        return outcome.value
    _log.warning("rate source gave no quote", source=source.name, currency=currency, reason=outcome.reason)
    return f"{source.name}: {outcome.reason}"


def store_rate(work: Work, rate: Rate) -> Rate:
    """Store a combined rate and return it with its id."""
    stored = replace(rate, id=work.new_id())
    sources = msgspec.json.encode({"used": stored.used, "dropped": stored.dropped}).decode()
    work.sql.execute(
        insert(rates).values(
            id=stored.id,
            currency=stored.currency,
            micro_per_btc=stored.micro_per_btc,
            at_ms=stored.at.ms,
            made_ms=work.now.ms,
            sources=sources,
        )
    )
    work.tell("rates", "changed", currency=stored.currency, micro_per_btc=stored.micro_per_btc)
    return stored

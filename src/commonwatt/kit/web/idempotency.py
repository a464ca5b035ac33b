"""A write that is asked for twice happens once: `Idempotency-Key` (IETF draft-ietf-httpapi-idempotency-key-header).

The answer is stored in the transaction of the write itself, so there is no moment in which one is known and the other
not. The same key with the same content gets the same answer; with other content it is refused. A secret that is shown
once is not kept: the repeated answer names it among `shown_before`. What is more than one transaction, because the
world is asked in between, claims its key before and keeps its answer after.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Concatenate, ParamSpec, TypedDict

import msgspec
from litestar import Request
from litestar.params import HeaderParameter
from sqlalchemy import delete, insert, select, update

from commonwatt.kernel import Broken, Fault, sha256_hex
from commonwatt.kit.database import Database, Work
from commonwatt.kit.web.encoding import plain, to_json
from commonwatt.kit.web.errors import BadRequest, KeyReused, KeyUnderWay
from commonwatt.kit.web.store import answers

P = ParamSpec("P")

KEPT_MS = 48 * 3600 * 1000
"""Answers are remembered for two days."""
_LENGTH_MAX = 200
_PENDING = ""
"""Stands for the answer of a request that is under way."""


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """The client's key, made unique by who asks and where, and the digest of what is asked."""

    key: str
    digest: str


async def read_idempotency_key(
    request: Request[Any, Any, Any],
    said: Annotated[
        str | None,
        HeaderParameter(name="Idempotency-Key", description="1 to 200 characters; the same again has no second effect"),
    ] = None,
) -> IdempotencyKey | None:
    """Read the header `Idempotency-Key` (1 to 200 printable characters): the dependency `idempotency_key`."""
    if said is None:
        return None
    if not 1 <= len(said) <= _LENGTH_MAX or not said.isascii() or not said.isprintable():
        raise BadRequest("An Idempotency-Key has 1 to 200 printable ASCII characters.", field="Idempotency-Key")
    asker = getattr(request.scope.get("user"), "id", "")
    where = f"{request.method} {request.url.path}"
    return IdempotencyKey(f"{asker} {sha256_hex(where.encode())[:16]} {said}", sha256_hex(await request.body()))


def once(
    work: Work,
    key: IdempotencyKey | None,
    action: Callable[Concatenate[Work, P], Any],
    *args: P.args,
    **kwargs: P.kwargs,
) -> Any:
    """Run an action under a key and return its result as JSON values; again, return the first answer.

    Without a key the action just runs. Raises KeyReused for the same key with other content. A refused action leaves
    nothing, so that its key may be used again.
    """
    return once_hiding(work, key, (), action, *args, **kwargs)


class ShownOnce(TypedDict, total=False):
    """What an answer of `once_hiding` has beside its own: present in the repeated answer alone."""

    shown_before: list[str]


def once_hiding(
    work: Work,
    key: IdempotencyKey | None,
    secrets: tuple[str, ...],
    action: Callable[Concatenate[Work, P], Any],
    *args: P.args,
    **kwargs: P.kwargs,
) -> Any:
    """Do as `once` for an answer whose members `secrets` are shown this once.

    They are not kept. The repeated answer has null in their place, and their names in `shown_before`.
    """
    if key is None:
        return plain(action(work, *args, **kwargs))
    for known in _known(work, key):
        return known
    result = plain(action(work, *args, **kwargs))
    stored = to_json(_without(result, secrets)).decode()
    work.sql.execute(insert(answers).values(key=key.key, digest=key.digest, answer=stored, made_ms=work.now.ms))
    return result


async def once_outside(
    database: Database,
    key: IdempotencyKey | None,
    act: Callable[[], Awaitable[Any]],
    *,
    unsure: tuple[type[Fault], ...] = (),
) -> Any:
    """Do once what asks the world, so that it is no single transaction.

    Its refusal frees the key, for nothing was done; after an error of the kinds `unsure`, or one that nobody foresaw,
    nobody knows, and the key stays taken. Raises KeyUnderWay for a key whose end is not known (yet), and KeyReused.
    """
    if key is None:
        return plain(await act())
    for known in await database.write(_claim, key):
        return known
    try:
        result = plain(await act())
    except Fault as error:
        if not isinstance(error, (Broken, *unsure)):
            await database.write(_release, key)
        raise
    await database.write(_keep, key, result)
    return result


def _without(result: Any, secrets: tuple[str, ...]) -> Any:
    hidden = [name for name in secrets if result.get(name) is not None]
    return {**result, **dict.fromkeys(hidden), "shown_before": hidden} if hidden else result


def _known(work: Work, key: IdempotencyKey) -> tuple[Any, ...]:
    """Return the answer that was given under a key; none for a new key. Raises KeyReused, KeyUnderWay."""
    known = work.sql.execute(select(answers).where(answers.c.key == key.key)).first()
    if known is None:
        return ()
    if known.digest != key.digest:
        raise KeyReused("This Idempotency-Key came before with other content. Use a new key for a new request.")
    if known.answer == _PENDING:
        raise KeyUnderWay(
            "A request with this Idempotency-Key began before, and how it ended is not known. It is not done again; "
            "look whether it was done, and use a new key if not."
        )
    return (msgspec.json.decode(known.answer),)


def _claim(work: Work, key: IdempotencyKey) -> tuple[Any, ...]:
    """Take a key for a request that begins now; return its answer when it was answered before."""
    known = _known(work, key)
    if not known:
        work.sql.execute(insert(answers).values(key=key.key, digest=key.digest, answer=_PENDING, made_ms=work.now.ms))
    return known


def _release(work: Work, key: IdempotencyKey) -> None:
    work.sql.execute(delete(answers).where(answers.c.key == key.key, answers.c.answer == _PENDING))


def _keep(work: Work, key: IdempotencyKey, result: Any) -> None:
    work.sql.execute(update(answers).where(answers.c.key == key.key).values(answer=to_json(result).decode()))


def forget_answers(work: Work) -> int:
    """Remove answers older than two days; return how many. For a repeated job."""
    return work.sql.execute(delete(answers).where(answers.c.made_ms < work.now.ms - KEPT_MS)).rowcount

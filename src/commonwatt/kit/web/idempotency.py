"""A write that is asked for twice happens once: `Idempotency-Key` (IETF draft-ietf-httpapi-idempotency-key-header).

The answer is stored in the transaction of the write itself, so there is no moment in which one is known and the other
not. The same key with the same content gets the same answer; with other content it is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Concatenate, ParamSpec

import msgspec
from litestar import Request
from sqlalchemy import delete, insert, select

from commonwatt.kernel import sha256_hex
from commonwatt.kit.database import Work
from commonwatt.kit.web.encoding import plain, to_json
from commonwatt.kit.web.errors import BadRequest, KeyReused
from commonwatt.kit.web.store import answers

P = ParamSpec("P")

KEPT_MS = 48 * 3600 * 1000
"""Answers are remembered for two days."""
_LENGTH_MAX = 200


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """The client's key, made unique by who asks and where, and the digest of what is asked."""

    key: str
    digest: str


async def read_idempotency_key(request: Request[Any, Any, Any]) -> IdempotencyKey | None:
    """Read the header `Idempotency-Key` (1 to 200 printable characters): the dependency `idempotency_key`."""
    said = request.headers.get("idempotency-key")
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
    if key is None:
        return plain(action(work, *args, **kwargs))
    known = work.sql.execute(select(answers).where(answers.c.key == key.key)).first()
    if known is not None:
        if known.digest != key.digest:
            raise KeyReused("This Idempotency-Key came before with other content. Use a new key for a new request.")
        return msgspec.json.decode(known.answer)
    result = plain(action(work, *args, **kwargs))
    stored = to_json(result).decode()
    work.sql.execute(insert(answers).values(key=key.key, digest=key.digest, answer=stored, made_ms=work.now.ms))
    return result


def forget_answers(work: Work) -> int:
    """Remove answers older than two days; return how many. For a repeated job."""
    return work.sql.execute(delete(answers).where(answers.c.made_ms < work.now.ms - KEPT_MS)).rowcount

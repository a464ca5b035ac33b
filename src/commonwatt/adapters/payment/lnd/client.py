"""LND's REST interface as one careful HTTP client: pinned certificate, limits on time and size, answers as values.

A call ends in one of three ways: an `Answer`, a `Refusal` (lnd itself said no, nothing happened), or `Silence` (the
request may or may not have arrived). Neither exceptions nor texts ever carry the macaroon.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from commonwatt.adapters.payment.lnd.config import LndConfig

ANSWER_BYTES_MAX = 8 << 20
"""No answer of a sane node is longer; thousands of channels fit."""
LINE_BYTES_MAX = 1 << 20
"""One message of a stream."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What lnd answered: one JSON object."""

    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Refusal:
    """lnd said no and did nothing; `code` is gRPC's, `reason` lnd's own sentence."""

    code: int
    reason: str

    @property
    def denied(self) -> bool:
        """Tell whether the macaroon is at fault: it does not fit the node, or may not do this."""
        return self.code in _DENIED or any(words in self.reason.lower() for words in _MACAROON_REFUSED)


@dataclass(frozen=True, slots=True)
class Silence:
    """Nobody knows whether lnd heard the request."""

    reason: str


Reply = Answer | Refusal | Silence

NOT_FOUND = 5
_DENIED = {7, 16}
_MACAROON_REFUSED = ("permission denied", "verification failed", "cannot get macaroon", "expected 1 macaroon")
"""What lnd says of a macaroon, under the code `unknown`."""
_UNKNOWN = 2
_UNSURE = {1, 4, 8, 13, 14}
"""gRPC codes under which a request may have had its effect: cancelled, deadline, exhausted, internal, unavailable."""
_NOT_READY = ("wallet locked", "wallet not created", "starting up", "not yet ready", "shutting down", "server is still")
"""lnd reports a node that is starting or stopping under the code `unknown`, told apart by its words alone."""


class LndClient:
    """Speaks to one node; connections are opened on first use and shared."""

    def __init__(self, config: LndConfig) -> None:
        self._config = config
        self.timeout_s = config.timeout_s
        self._session: aiohttp.ClientSession | None = None
        self._pin: tuple[int, aiohttp.Fingerprint] | None = None

    async def close(self) -> None:
        """Let go of all connections; a later call opens new ones."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, timeout_s: float | None = None
    ) -> Reply:
        """Send one request and read its whole answer."""
        within = timeout_s or self._config.timeout_s
        try:
            async with asyncio.timeout(within):
                response = await self._request(method, path, body)
                try:
                    text = await _read(response)
                except BaseException:
                    response.close()
                    raise
        except TimeoutError:
            return Silence(f"the node did not answer within {within:g} s")
        except _TROUBLE as error:
            return self._silence(error)
        return self._understand(response.status, text)

    async def stream(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        timeout_s: float | None = None,
        quiet_s: float | None = None,
    ) -> AsyncGenerator[Reply, None]:
        """Yield the messages of a stream; a Refusal or Silence ends it, and so does the end of the answer.

        `timeout_s` bounds the whole, `quiet_s` the wait for the next message. A stream that lnd closes in good order
        just ends. Use it with `contextlib.aclosing`, so that leaving the loop closes the connection.
        """
        clock = asyncio.get_running_loop()
        whole = None if timeout_s is None else clock.time() + timeout_s

        def limit() -> float | None:
            quiet = None if quiet_s is None else clock.time() + quiet_s
            return min((end for end in (whole, quiet) if end is not None), default=None)

        response = None
        try:
            # lnd sends the head of a stream only with its first message, so the wait for it is bounded as well.
            async with asyncio.timeout_at(limit()):
                response = await self._request(method, path, body)
                text = None if response.status == _OK else await _read(response)
            if text is not None:
                yield self._understand(response.status, text)
                return
            while not response.content.at_eof():
                async with asyncio.timeout_at(limit()):
                    line = await response.content.readuntil(b"\n", max_size=LINE_BYTES_MAX)
                if line.strip():
                    reply = self._message(line)
                    yield reply
                    if not isinstance(reply, Answer):
                        return
        except TimeoutError:
            yield Silence("the node said nothing more in time")
        except _TROUBLE as error:
            yield self._silence(error)
        finally:
            if response is not None:
                response.close()

    async def _request(self, method: str, path: str, body: Mapping[str, Any] | None) -> aiohttp.ClientResponse:
        """Send a request, and once more when the connection turns out to have died since its last use.

        That is safe because lnd does nothing twice for one payment hash; the second answer says what was done.
        """
        try:
            return await self._send(method, path, body)
        except (aiohttp.ServerDisconnectedError, ConnectionResetError):
            return await self._send(method, path, body)

    async def _send(self, method: str, path: str, body: Mapping[str, Any] | None) -> aiohttp.ClientResponse:
        """Send a request; redirects are not followed, for the macaroon is meant for this address alone."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=30),
                timeout=aiohttp.ClientTimeout(total=None, connect=self._config.timeout_s),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": "commonwatt"},
            )
        return await self._session.request(
            method,
            self._config.url.rstrip("/") + path,
            json=body,
            headers={"Grpc-Metadata-macaroon": self._config.macaroon_hex},
            ssl=self._trust(),
            allow_redirects=False,
        )

    def _trust(self) -> aiohttp.Fingerprint | bool:
        """Return the pin of the certificate file, read anew when the file changed (lnd renews its own)."""
        path = self._config.tls_cert_path
        if path is None:
            return True
        changed = path.stat().st_mtime_ns
        if self._pin is None or self._pin[0] != changed:
            try:
                leaf = x509.load_pem_x509_certificates(path.read_bytes())[0]
            except ValueError as error:
                raise _Unreadable(f"{path} holds no certificate; copy tls.cert from the node") from error
            self._pin = changed, aiohttp.Fingerprint(hashlib.sha256(leaf.public_bytes(Encoding.DER)).digest())
        return self._pin[1]

    def _understand(self, status: int, text: bytes) -> Reply:
        try:
            body = json.loads(text)
        except (ValueError, RecursionError):
            return Silence(f"the node answered {status} with something that is not JSON; is this the REST port?")
        if not isinstance(body, dict):
            return Silence(f"the node answered {status} with JSON that is no object")
        if status == _OK:
            return Answer(body)
        inner = body.get("error")  # streams wrap their refusals once more
        return self._refused(inner if isinstance(inner, dict) else body, status)

    def _message(self, line: bytes) -> Reply:
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            return Silence("the node's stream carried something that is not JSON")
        match message:
            case {"result": dict() as result}:
                return Answer(result)
            case {"error": dict() as error}:
                return self._refused(error, _OK)
            case _:
                return Silence("the node's stream carried a message of unknown shape")

    def _refused(self, error: Mapping[str, Any], status: int) -> Refusal | Silence:
        """Tell a refusal, which is certain, from an error that leaves open what happened."""
        # grpc-gateway v1 writes code, v2 also grpc_code within streams.
        code, reason = error.get("code", error.get("grpc_code")), error.get("message")
        if not isinstance(code, int) or not isinstance(reason, str):
            return Silence(f"the node, or something before it, answered {status}")
        reason = self._clean(reason)
        if code in _UNSURE or (code == _UNKNOWN and any(words in reason.lower() for words in _NOT_READY)):
            return Silence(f"the node cannot answer now: {reason}")
        return Refusal(code, reason)

    def _silence(self, error: BaseException) -> Silence:
        match error:
            case aiohttp.ServerFingerprintMismatch():
                return Silence("another certificate than the pinned one; copy tls.cert from the node again")
            case aiohttp.ClientPayloadError():
                return Silence("the node broke off in the middle of an answer")
            case LineTooLong() | _TooLong():
                return Silence("the node's answer is longer than any answer should be")
            case _Unreadable():
                return Silence(str(error))
            case OSError(filename=str(name)) if name and not isinstance(error, aiohttp.ClientError):
                return Silence(f"{name} cannot be read ({error.strerror})")
            case _:
                return Silence(f"the node is out of reach: {self._clean(str(error) or type(error).__name__)}")

    def _clean(self, text: str) -> str:
        """Take the macaroon out of a text, should anybody echo it, and keep the text short."""
        macaroon = self._config.macaroon_hex
        for secret in (macaroon, base64.b64encode(bytes.fromhex(macaroon)).decode()):
            text = re.sub(re.escape(secret), "(macaroon)", text, flags=re.IGNORECASE)
        return text[:300]


class _TooLong(Exception):
    """An answer beyond the limit of size."""


class _Unreadable(Exception):
    """A certificate file that holds no certificate."""


_OK = 200
_TROUBLE = (aiohttp.ClientError, HttpProcessingError, OSError, _TooLong, _Unreadable)


async def _read(response: aiohttp.ClientResponse) -> bytes:
    chunks, size = [], 0
    async for chunk in response.content.iter_any():
        size += len(chunk)
        if size > ANSWER_BYTES_MAX:
            raise _TooLong
        chunks.append(chunk)
    return b"".join(chunks)

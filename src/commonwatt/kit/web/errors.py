"""What can be wrong with a request before any feature has looked at it."""

from __future__ import annotations

from commonwatt.kernel import Missing, Refused


class BadRequest(Refused):
    """The request cannot be read: a field is missing, of the wrong kind, or out of its range."""

    slug = "bad-request"
    title = "The request cannot be read"
    status = 400

    def __init__(
        self, detail: str, errors: list[dict[str, str]] | None = None, **fields: str | int | bool | None
    ) -> None:
        """Take what is wrong, and per field what was expected."""
        super().__init__(detail, **fields)
        self.errors = errors or []


class NoSuchPage(Missing):
    """Nothing lives at this address."""

    slug = "no-such-page"
    title = "Nothing is here"
    status = 404


class MethodNotAllowed(Refused):
    """The address exists, but not for this method."""

    slug = "method-not-allowed"
    title = "This address does not take that method"
    status = 405


class TooLarge(Refused):
    """The body is larger than the address takes."""

    slug = "too-large"
    title = "Too large"
    status = 413


class UnsupportedMedia(Refused):
    """The body is not JSON, by its own `Content-Type` (RFC 9110, 15.5.16)."""

    slug = "unsupported-media"
    title = "Not JSON"
    status = 415


class TooManyRequests(Refused):
    """One client asks faster than its share."""

    slug = "too-many-requests"
    title = "Too many requests"
    status = 429


class ForeignRequest(Refused):
    """A change was asked for from another site's page, or from a page that is out of date (CSRF)."""

    slug = "foreign-request"
    title = "This did not come from our page"
    status = 403


class UnknownHost(Refused):
    """The request is for a host that is not ours (RFC 9110, 15.5.20 Misdirected Request)."""

    slug = "unknown-host"
    title = "This name is not ours"
    status = 421


class Changed(Refused):
    """The thing was changed since it was read (RFC 9110, 13.1.1 If-Match)."""

    slug = "changed"
    title = "Changed in the meantime"
    status = 412


class KeyUnderWay(Refused):
    """An idempotency key came again while nobody knows how its first request ended."""

    slug = "key-under-way"
    title = "Not known yet"
    status = 409


class KeyReused(Refused):
    """An idempotency key came again with other content."""

    slug = "key-reused"
    title = "Idempotency key used before"
    status = 409

"""What can be wrong with an LNURL or an answer."""

from __future__ import annotations


class LnurlError(ValueError):
    """A link or a message that no wallet could use; the text says why, for people."""


class ServiceError(LnurlError):
    """The service itself said no, with its own reason (LUD-01, `{"status": "ERROR"}`)."""

"""Secrets that open things: a session's link, the one-time id tag of its start, the claim of its change."""

from __future__ import annotations

import base64
import hashlib

from commonwatt.kit.database import Work


def new_secret(work: Work) -> str:
    """Return 192 fresh bits as 32 URL-safe characters: who has it may stop the session and take its change."""
    return base64.urlsafe_b64encode(work.ids.secret(24)).decode()


def new_id_tag(work: Work) -> str:
    """Return a one-time id tag of 20 characters (OCPP 1.6, IdToken) that nobody can guess or confuse with a card's."""
    return "CW" + base64.b32encode(work.ids.secret(12)).decode()[:18]


def claim_secret(secret: str, number: int) -> str:
    """Return the `k1` of a session's n-th change claim (LUD-03): derived, so that asking twice gives the same."""
    return hashlib.sha256(f"commonwatt change {secret} {number}".encode()).hexdigest()

"""What programs send in a body: a field that nobody reads is refused, since its sender meant something by it."""

from __future__ import annotations

import msgspec


class Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The base of every body that has fixed fields; one too many is answered by 400 with its name."""

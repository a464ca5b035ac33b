"""What charging refuses, and why.

Refused
├── ConnectorBusy       somebody else charges here
├── ConnectorOut        offline, faulted or switched off
├── AmountOutOfRange    less or more than one may prepay
├── PriceBeyondLimit    what a charge begins with costs more than one may prepay
├── SessionOver         it cannot be stopped, topped up or changed any more
├── SessionNotCharging  credit is added only once energy flows
├── SessionRunning      change is known only after the last reading
├── NoChange            nothing is left, or it was paid out
├── ChangeClaimed       this claim was used for another invoice
├── ChangeWithheld      the site was restored from a backup; its owner says first whether it was paid
└── TagKnown            an id tag is local already
Missing
├── NoSuchSession
├── NoSuchConnector
└── NoSuchTag
"""

from __future__ import annotations

from commonwatt.kernel import Missing, Refused


class ConnectorBusy(Refused):
    """Somebody else charges here."""

    slug = "connector-busy"
    title = "This charge point is in use"


class ConnectorOut(Refused):
    """The charge point cannot charge now."""

    slug = "connector-out"
    title = "This charge point cannot charge now"


class AmountOutOfRange(Refused):
    """The amount is below the least or above the most that one may prepay."""

    slug = "amount-out-of-range"
    title = "This amount cannot be paid here"
    status = 422


class PriceBeyondLimit(Refused):
    """What a charge begins with costs more than one may prepay, so nothing can be sold."""

    slug = "price-beyond-limit"
    title = "This charge point cannot be paid for"


class SessionOver(Refused):
    """The session has ended."""

    slug = "session-over"
    title = "This session is over"


class SessionNotCharging(Refused):
    """No energy flows yet."""

    slug = "session-not-charging"
    title = "The charge has not begun yet"


class SessionRunning(Refused):
    """The session has not ended yet."""

    slug = "session-running"
    title = "The charge has not ended yet"


class NoChange(Refused):
    """Nothing is left to return."""

    slug = "no-change"
    title = "There is no change to return"


class ChangeClaimed(Refused):
    """The change was claimed for another invoice."""

    slug = "change-claimed"
    title = "The change was claimed already"


class ChangeWithheld(Refused):
    """The site was restored from a backup, and the change may have been paid since that was made."""

    slug = "change-withheld"
    title = "The change waits for the owner's word"


class TagKnown(Refused):
    """The id tag is in use."""

    slug = "tag-known"
    title = "This tag is known already"


class NoSuchSession(Missing):
    """No session has this id or link."""

    slug = "no-such-session"
    title = "There is no such session"


class NoSuchConnector(Missing):
    """No connector has this name."""

    slug = "no-such-connector"
    title = "There is no such charge point"


class NoSuchTag(Missing):
    """No local tag has this id."""

    slug = "no-such-tag"
    title = "There is no such tag"


class TagUnusable(Refused):
    """No station could ever send this id tag."""

    slug = "tag-unusable"
    title = "This cannot be a tag"
    status = 422


class AddressUnusable(Refused):
    """Change cannot be sent there."""

    slug = "address-unusable"
    title = "This is no Lightning address"
    status = 422

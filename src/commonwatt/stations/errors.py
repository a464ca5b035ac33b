"""What can be wrong with a request about stations."""

from __future__ import annotations

from commonwatt.kernel import Missing, Refused, Unavailable


class StationMissing(Missing):
    """No station has this identity."""

    slug = "station-missing"
    title = "No such station"


class StationTaken(Refused):
    """Another station has this identity already."""

    slug = "station-taken"
    title = "Station exists already"


class IdentityInvalid(Refused):
    """The identity cannot be the end of a station's address."""

    slug = "station-identity-invalid"
    title = "Not an identity"
    status = 422


class ConnectorNameTaken(Refused):
    """Another connector has this name, or it cannot be part of an address."""

    slug = "connector-name-refused"
    title = "Connector name not possible"


class ConnectorMissing(Missing):
    """No connector has this name."""

    slug = "connector-missing"
    title = "No such connector"


class WaitingRoomFull(Refused):
    """Too many unknown stations wait to be admitted."""

    slug = "waiting-room-full"
    title = "The waiting room is full"


class WaiverUnknown(Refused):
    """No exception for stations has this name."""

    slug = "waiver-unknown"
    title = "No such waiver"
    status = 422


class StationOffline(Refused):
    """The station has no connection, so the command was never sent."""

    slug = "station-offline"
    title = "Station offline"


class StationBusy(Unavailable):
    """Too many commands wait for the station already, so this one was never sent."""

    slug = "station-busy"
    title = "Station busy"


class StationCallError(Refused):
    """The station answered the command with a CALLERROR."""

    slug = "station-callerror"
    title = "The station could not"
    status = 502


class StationAnswerInvalid(Refused):
    """The station answered the command with a result that is against the standard, given as it was in `answer`."""

    slug = "station-answer-invalid"
    title = "An answer against the standard"
    status = 502


class StationTimeout(Unavailable):
    """The command was sent and no answer came in time; it may still have been carried out."""

    slug = "station-timeout"
    title = "No answer from the station"
    status = 504


class CommandInvalid(Refused):
    """The command is unknown, or its payload is against the action's schema."""

    slug = "station-command-invalid"
    title = "Not a command"
    status = 422

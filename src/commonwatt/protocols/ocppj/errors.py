"""The codes of a CALLERROR (OCPP-J 1.6, section 4.2.3, table 7)."""

from __future__ import annotations

from enum import StrEnum


class ErrorCode(StrEnum):
    """Why a call was not answered with a result, as the standard spells it."""

    NOT_IMPLEMENTED = "NotImplemented"
    """The action is not known."""
    NOT_SUPPORTED = "NotSupported"
    """The action is known and not offered."""
    INTERNAL_ERROR = "InternalError"
    """Something went wrong here; the same call may succeed later."""
    PROTOCOL_ERROR = "ProtocolError"
    """The frame or its payload is incomplete."""
    SECURITY_ERROR = "SecurityError"
    """The caller may not do this, or not yet."""
    FORMATION_VIOLATION = "FormationViolation"
    """The payload has another structure than the action's."""
    PROPERTY_CONSTRAINT_VIOLATION = "PropertyConstraintViolation"
    """A field holds a value outside of its range."""
    OCCURRENCE_CONSTRAINT_VIOLATION = "OccurenceConstraintViolation"
    """A field occurs too often or too rarely; the spelling is the standard's."""
    TYPE_CONSTRAINT_VIOLATION = "TypeConstraintViolation"
    """A field is of another type."""
    GENERIC_ERROR = "GenericError"
    """None of the others."""

"""What tariffs refuse, miss, or cannot know."""

from __future__ import annotations

from commonwatt.kernel import Missing, Refused, Unavailable


class TariffInvalid(Refused):
    """A tariff as described cannot be priced by; `field` names the place."""

    slug = "tariff-invalid"
    title = "This tariff does not work"
    status = 422


class TariffNameTaken(TariffInvalid):
    """Another tariff that is in use has this name."""

    slug = "tariff-name-taken"
    title = "Another tariff has this name"
    status = 409


class TariffChanged(Refused):
    """Somebody else changed the tariff since it was read."""

    slug = "tariff-changed"
    title = "The tariff was changed meanwhile"
    status = 412


class TariffRetired(Refused):
    """The tariff is retired; it prices only sessions that began under it."""

    slug = "tariff-retired"
    title = "This tariff is retired"


class TariffInUse(Refused):
    """The tariff is assigned somewhere and cannot be retired."""

    slug = "tariff-in-use"
    title = "This tariff is in use"


class TariffMissing(Missing):
    """There is no such tariff or version."""

    slug = "tariff-missing"
    title = "No such tariff"


class NoTariff(Missing):
    """No tariff is assigned that holds at this place and time."""

    slug = "no-tariff"
    title = "No price is set"


class NoRate(Unavailable):
    """No believable price of bitcoin is known now."""

    slug = "no-rate"
    title = "No exchange rate"

"""A car's battery and its charging curve: physics, and therefore in floating point.

Up to a knee (about 80 % of charge) a battery takes all that charger and car can give. Above it the power falls in
proportion to what is missing, to a tenth at full. In this model the energy of any span has a closed form, so that
two short steps deliver what one long step does, and a simulation may step as coarsely as it likes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

LAST_SHARE = 0.1
"""Share of the full power that is left when the battery is full."""
SECONDS_PER_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Car:
    """A battery on wheels: capacity and content in Wh, power in W."""

    battery_wh: int = 60_000
    stored_wh: float = 18_000.0
    power_w_max: float = 11_000.0
    knee: float = 0.8
    """State of charge (0 to 1) from which the power falls; 1 for a car that takes all to the end."""
    paused: bool = False
    """Whether the car itself draws nothing for now (SuspendedEV)."""
    name: str = "car"

    @property
    def state_of_charge(self) -> float:
        """Content over capacity, 0 to 1."""
        return self.stored_wh / self.battery_wh if self.battery_wh else 1.0

    @property
    def full(self) -> bool:
        """Whether no whole thousandth of a Wh fits in any more."""
        return self.battery_wh - self.stored_wh < 0.001  # noqa: PLR2004 (a milliwatt-hour)

    def power_w(self, offered_w: float) -> float:
        """Return the power that the car draws at this moment of an offer, in W."""
        if self.paused or self.full:
            return 0.0
        return min(offered_w, self.power_w_max * self.share())

    def share(self) -> float:
        """Return the share of the full power that the battery takes at its state of charge."""
        if self.state_of_charge <= self.knee:
            return 1.0
        return 1.0 - (1.0 - LAST_SHARE) * (self.state_of_charge - self.knee) / (1.0 - self.knee)


class Charged(NamedTuple):
    """A car after some time at a plug, and the energy that went into it."""

    car: Car
    energy_wh: float


def charge(car: Car, offered_w: float, seconds: float) -> Charged:
    """Charge for so many seconds from a plug that offers so many watts; a full car takes nothing."""
    power_w = car.power_w(offered_w)
    if power_w <= 0.0 or seconds <= 0.0:
        return Charged(car, 0.0)
    hours = seconds / SECONDS_PER_HOUR
    flat_wh = max(0.0, _bend_wh(car, offered_w) - car.stored_wh)
    steady_wh = power_w * hours
    stored_wh = car.stored_wh + min(steady_wh, flat_wh)
    if steady_wh > flat_wh and car.knee < 1.0:
        stored_wh += _tapered_wh(replace(car, stored_wh=stored_wh), hours - flat_wh / power_w)
    stored_wh = min(stored_wh, float(car.battery_wh))
    return Charged(replace(car, stored_wh=stored_wh), stored_wh - car.stored_wh)


def _bend_wh(car: Car, offered_w: float) -> float:
    """Return the content at which the power begins to fall below the offer."""
    if offered_w >= car.power_w_max:
        return car.knee * car.battery_wh
    if offered_w <= LAST_SHARE * car.power_w_max:
        return float(car.battery_wh)
    share = offered_w / car.power_w_max
    return (car.knee + (1.0 - share) / (1.0 - LAST_SHARE) * (1.0 - car.knee)) * car.battery_wh


def _tapered_wh(car: Car, hours: float) -> float:
    """Return the energy of so many hours on the falling part, where power is proportional to itself over time."""
    power_w = car.power_w_max * car.share()
    decay_per_hour = (1.0 - LAST_SHARE) * car.power_w_max / ((1.0 - car.knee) * car.battery_wh)
    return power_w / decay_per_hour * (1.0 - math.exp(-decay_per_hour * hours))

"""Whole numbers with units: one small frozen class per unit, so that a watt never passes for a watt-hour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True, order=True)
class Quantity:
    """A whole number of one unit; arithmetic stays inside the unit, and subclasses never mix."""

    value: int

    def __add__(self, other: Self) -> Self:
        return type(self)(self.value + self._same(other))

    def __sub__(self, other: Self) -> Self:
        return type(self)(self.value - self._same(other))

    def __neg__(self) -> Self:
        return type(self)(-self.value)

    def __mul__(self, times: int) -> Self:
        return type(self)(self.value * times)

    def __bool__(self) -> bool:
        return self.value != 0

    def __int__(self) -> int:
        return self.value

    def _same(self, other: Self) -> int:
        if type(other) is not type(self):
            msg = f"{type(self).__name__} and {type(other).__name__} do not mix"
            raise TypeError(msg)
        return other.value


class WattHour(Quantity):
    """Energy in Wh."""

    __slots__ = ()


class Watt(Quantity):
    """Active power in W."""

    __slots__ = ()


class MilliAmpere(Quantity):
    """Current in mA."""

    __slots__ = ()


class MilliVolt(Quantity):
    """Voltage in mV."""

    __slots__ = ()


class Seconds(Quantity):
    """A span of time in whole seconds."""

    __slots__ = ()

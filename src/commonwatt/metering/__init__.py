"""Metering: a register followed through a charge, and the readings that prove it."""

from commonwatt.metering.model.register import (
    Register,
    add_interval,
    know_peak,
    measure_power,
    note_gap,
    open_register,
    read_register,
)
from commonwatt.metering.store import Reading, count_readings, readings_at, readings_of, store_readings, strongest_w

__all__ = [
    "Reading",
    "Register",
    "add_interval",
    "count_readings",
    "know_peak",
    "measure_power",
    "note_gap",
    "open_register",
    "read_register",
    "readings_at",
    "readings_of",
    "store_readings",
    "strongest_w",
]

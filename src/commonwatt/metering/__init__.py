"""Metering: registers and readings."""

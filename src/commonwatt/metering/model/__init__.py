"""Pure nouns of metering: no clock, no I/O, no logging."""

"""Pure nouns of charging: no clock, no I/O, no logging."""

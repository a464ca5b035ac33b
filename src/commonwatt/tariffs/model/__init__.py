"""Pure nouns of tariffs: no clock, no I/O, no logging."""

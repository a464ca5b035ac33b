"""Pure nouns of books: no clock, no I/O, no logging."""

"""Wire formats without I/O: bytes and text in, values out, errors that say whose fault it is."""

"""Payment backends, one folder each: `rail.py` keeps the promise of `payments.ports.Rail`."""

"""Commonwatt runs an energy community: charge, pay, share and decide, with a proof for everything."""

__version__ = "0.1.0"

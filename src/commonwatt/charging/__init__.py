"""Charging: the session from the scan to the refund."""

"""Stations: charge points, connectors, and commands to them."""

"""Tariffs: prices over time; price times energy gives an amount and a remainder."""

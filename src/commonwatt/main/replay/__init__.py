"""Replays charges of the past through a whole house: real WebSockets, real invoices of the sandbox, exact sums.

Reading order: `past` (a recorded charge), `reading` (a file of them), `plan` (which charges go together), `station`
(a charge point that follows a script), `place` (the house, the play money, the clock), `diary` (how far it came),
`run`, `report`, `cli`.
"""

"""The demo: a small town with play money, virtual stations and real protocols; and one session told step by step.

Reading order: `settings`, `town` (what it consists of), `run` (`commonwatt demo`), `walk` (`commonwatt demo --walk`).
"""

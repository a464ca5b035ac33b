"""`python -m commonwatt.main` is `commonwatt`."""

from commonwatt.main.cli import run

run()

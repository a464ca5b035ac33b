"""`commonwatt tariff`: the commands of the feature, which learn here from the stations whether a place exists."""

from __future__ import annotations

import click

from commonwatt import stations
from commonwatt.tariffs.cli import PLACES
from commonwatt.tariffs.cli import tariff as feature


@click.group("tariff", commands=feature.commands, help=feature.help)
@click.pass_context
def tariff(ctx: click.Context) -> None:
    """Let the commands ask for stations."""
    ctx.meta[PLACES] = stations.check_place

"""`aiobserve replay`: any policy over recorded jobs and signals, and the published tables."""

import click

from aiobserve.commands.replay_elasticflow import elasticflow_table
from aiobserve.commands.replay_gaia import gaia_table
from aiobserve.commands.replay_limits import shifting_limits_table
from aiobserve.commands.replay_lwa import lwa_table
from aiobserve.commands.replay_table import table


@click.group()
def replay() -> None:
    """Replay recorded jobs under a policy, against run-now and the best possible."""


for command in (lwa_table, gaia_table, shifting_limits_table, elasticflow_table):
    table.add_command(command)
replay.add_command(table)

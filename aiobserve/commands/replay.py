"""`aiobserve replay`: any policy over recorded jobs and signals, and the published tables."""

import click

from aiobserve.commands.replay_tables import table


@click.group()
def replay() -> None:
    """Replay recorded jobs under a policy, against run-now and the best possible."""


replay.add_command(table)

"""`aiobserve tick`: poke the workers now instead of at the next minute."""

import click

from aiobserve.commands.servers import database, poke
from aiobserve.commands.terminal import answer, expected_errors, json_option
from aiobserve.tasks import tick as tick_task


@click.command()
@json_option
@expected_errors
def tick(as_json: bool) -> None:
    """Tell the workers to look for what is due; `aiobserve up` does so every minute by itself."""
    with database():
        poke(tick_task)
        answer({"ticked": True}, as_json=as_json, words="the workers are told to look for what is due")

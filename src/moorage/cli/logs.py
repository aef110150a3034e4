"""`moorage logs`."""

from __future__ import annotations

import contextlib
import time

import click

from moorage.app.settings import Settings
from moorage.cli.connection import connected
from moorage.cli.log_streams import LogLine, LogTail
from moorage.cli.target import on_moorage

FOLLOW_INTERVAL_S = 0.5


@click.command("logs")
@click.argument("name")
@click.option("--follow", "-f", is_flag=True, help="Go on printing new lines until Ctrl-C.")
@click.option("-n", "count", type=click.IntRange(0, 10_000), default=100, show_default=True, help="How many lines.")
@on_moorage
def command(settings: Settings, name: str, follow: bool, count: int) -> None:
    """Print what an endpoint's instances have logged.

    Reads the log group /aws/sagemaker/Endpoints/NAME; each line names its variant and instance.
    """
    with connected(settings) as moorage:
        tail = LogTail(moorage.client("logs"), name)
        _print(tail.last(count))
        with contextlib.suppress(KeyboardInterrupt):  # the way to end --follow
            while follow:
                time.sleep(FOLLOW_INTERVAL_S)
                _print(tail.new())


def _print(lines: list[LogLine]) -> None:
    for line in lines:
        click.echo(str(line))

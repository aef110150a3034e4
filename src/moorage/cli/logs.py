"""`moorage logs`."""

from __future__ import annotations

import contextlib
import time
from datetime import datetime

import click

from moorage.app.settings import Settings
from moorage.cli.connection import connected
from moorage.cli.log_streams import LogLine, LogTail
from moorage.cli.since import Since
from moorage.cli.target import on_moorage

FOLLOW_INTERVAL_S = 0.5


@click.command("logs")
@click.argument("name")
@click.option("--follow", "-f", is_flag=True, help="Go on printing new lines until Ctrl-C.")
@click.option("-n", "count", type=click.IntRange(0, 10_000), default=100, show_default=True, help="How many lines.")
@click.option("--since", type=Since(), help="Only lines from then on: 10m, 2h, 1d ago, or a time in ISO 8601.")
@click.option("--filter", "pattern", default="", help="""A filter pattern of CloudWatch Logs: 'ERROR -timeout'.""")
@on_moorage
def command(settings: Settings, name: str, follow: bool, count: int, since: datetime | None, pattern: str) -> None:
    """Print what an endpoint's instances have logged.

    Reads the log group /aws/sagemaker/Endpoints/NAME; each line names its variant and instance.
    """
    since_ms = 0 if since is None else max(0, int(since.timestamp() * 1000))
    with connected(settings) as moorage:
        tail = LogTail(moorage.client("logs"), name, since_ms=since_ms, pattern=pattern)
        lines = tail.last(count)
        _print(lines)
        if not lines and count and not follow:
            lacks = "has no such line" if pattern or since else "is empty"
            click.echo(f"The log of {name} {lacks}.", err=True)
        with contextlib.suppress(KeyboardInterrupt):  # the way to end --follow
            while follow:
                time.sleep(FOLLOW_INTERVAL_S)
                _print(tail.new())


def _print(lines: list[LogLine]) -> None:
    for line in lines:
        click.echo(str(line))

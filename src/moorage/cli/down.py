"""`moorage down`."""

from __future__ import annotations

import click

from moorage.app import lifecycle
from moorage.app.settings import Settings
from moorage.cli.target import on_moorage


@click.command("down")
@on_moorage
def command(settings: Settings) -> None:
    """Stop Moorage and the instances it runs.

    Requests in flight are finished first. Nothing is deleted: `moorage up` brings every endpoint back.
    """
    if lifecycle.stop(settings):
        click.echo("Moorage has stopped.")
    else:
        click.echo(f"Moorage was not running on {settings.data_dir}.")

"""`moorage restart`."""

from __future__ import annotations

import click

from moorage.app import lifecycle
from moorage.app.orders import OrderRefused
from moorage.app.settings import Settings
from moorage.cli.failures import Failure
from moorage.cli.target import on_moorage


@click.command("restart")
@on_moorage
def command(settings: Settings) -> None:
    """Restart Moorage's processes without a failed request, after an upgrade for example.

    One after another, each as soon as the one before is ready; a gateway worker finishes its requests while its
    successor takes new ones. Instances go on as they are. The supervisor stays, and with it the settings: for these,
    `moorage down` and `moorage up`.
    """
    try:
        for restarted in lifecycle.restart(settings):
            click.echo(f"  {restarted.part:<15} pid {restarted.pid}")
    except OrderRefused as error:
        hint = f"What was not restarted goes on as it was. See {settings.platform_log_path}"
        raise Failure(f"{error}.", hint=hint) from error
    click.echo("Moorage has restarted.")

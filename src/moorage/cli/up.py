"""`moorage up`."""

from __future__ import annotations

import click

from moorage.app import lifecycle, supervisor
from moorage.app.settings import Settings, with_port
from moorage.cli.target import command_line, on_moorage


@click.command("up")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="The port to listen on; 0 takes a free one.  [default: 7070]"
)
@click.option("--detach", is_flag=True, help="Return as soon as Moorage is ready, and leave it running.")
@on_moorage
def command(settings: Settings, port: int | None, detach: bool) -> None:
    """Start Moorage.

    Runs until Ctrl-C, or, with --detach, until `moorage down`. Everything that was deployed before comes back.
    """
    chosen = settings if port is None else with_port(settings, port)
    exports = f'eval "$({command_line(settings, "env")})"'
    if detach:
        started = lifecycle.start_detached(chosen)
        click.echo(f"Moorage is ready at {started.endpoint_url}\nNext:  {exports}")
        return
    click.echo(f"Starting on {settings.data_dir}. Ctrl-C ends it. In another terminal:  {exports}")
    raise SystemExit(supervisor.run(chosen, click.echo))

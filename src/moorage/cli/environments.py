"""`moorage environments`: the Pythons that models run in. Works on the data directory, whether Moorage runs or not."""

from __future__ import annotations

import asyncio
from collections.abc import Set
from datetime import datetime
from pathlib import Path

import click
from rich.table import Table

from moorage.app.agent_process import agent_settings
from moorage.app.settings import Settings
from moorage.cli.failures import Failure
from moorage.cli.tables import print_table
from moorage.cli.target import on_moorage
from moorage.core.words import sized
from moorage.runners.process import images
from moorage.runners.process.environments.environments import (
    EnvironmentImpossible,
    Environments,
    EnvironmentUnavailable,
)
from moorage.runners.process.environments.upkeep import Stored, remove, take_stock
from moorage.runners.process.folder import InstanceFolder
from moorage.system.clock import SystemClock


@click.group("environments")
def command() -> None:
    """List, build and remove the environments that models run in."""


@command.command("list")
@on_moorage
def list_command(settings: Settings) -> None:
    """List what was built, with what runs in it, and uv's cache beside it."""
    stock = take_stock(settings.environments_dir)
    if not stock:
        click.echo("No environment was built yet: each is when a model first wants it.")
        return
    in_use = _in_use(settings)
    table = Table(box=None, header_style="bold", pad_edge=False)
    for title in ("NAME", "WHAT", "SIZE", "LAST WANTED", "IN USE"):
        table.add_column(title, justify="right" if title == "SIZE" else "left")
    for stored in reversed(stock):
        wanted = datetime.fromtimestamp(stored.wanted_at).strftime("%Y-%m-%d %H:%M")  # noqa: DTZ006 - for people here
        is_used = "yes" if stored.path in in_use else "no"
        table.add_row(stored.name, stored.title, sized(stored.size_bytes), wanted, is_used)
    print_table(table)


@command.command("build")
@click.argument("image", nargs=-1, required=True)
@on_moorage
def build_command(settings: Settings, image: tuple[str, ...]) -> None:
    """Build the environment of each IMAGE now, so that no endpoint has to wait for it, nor for the network."""
    for name in image:
        try:
            title = asyncio.run(_build(settings, images.resolve(name)))
        except (images.UnknownImage, EnvironmentImpossible, EnvironmentUnavailable) as error:
            raise Failure(str(error)) from error
        click.echo(f"{name}: {title}")


@command.command("remove")
@click.argument("name", nargs=-1)
@click.option("--unused", is_flag=True, help="Remove all that nothing runs in.")
@on_moorage
def remove_command(settings: Settings, name: tuple[str, ...], unused: bool) -> None:
    """Remove environments by their names in the list. They are built again when they are wanted."""
    stock, in_use = take_stock(settings.environments_dir), _in_use(settings)
    chosen = [stored for stored in stock if stored.path not in in_use] if unused else _named(stock, name)
    used = [stored.name for stored in chosen if stored.path in in_use]
    if used:
        raise Failure(f"Instances run in {', '.join(used)}.", hint="Delete their endpoints first.")
    for stored in chosen:
        remove(stored.path)
        click.echo(f"Removed {stored.name}")


async def _build(settings: Settings, image: images.FrameworkImage) -> str:
    told = agent_settings(settings)
    told.environments_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    environments = Environments(
        told.environments_dir,
        told.packages,
        SystemClock(),
        bytes_max=told.environments_bytes_max,
        in_use=lambda: _in_use(settings),
    )
    return (await environments.ensure(image, click.echo)).title


def _named(stock: list[Stored], names: tuple[str, ...]) -> list[Stored]:
    by_name = {stored.name: stored for stored in stock}
    unknown = [name for name in names if name not in by_name]
    if unknown or not names:
        raise Failure(
            f"There is no environment {', '.join(unknown)}." if unknown else "Which one?",
            hint="Those there are: moorage environments list",
        )
    return [by_name[name] for name in names]


def _in_use(settings: Settings) -> Set[Path]:
    """What the instances of this data directory run from, as their records say."""
    folders = agent_settings(settings).instances_dir.glob("i-*")
    records = (InstanceFolder(folder).read() for folder in folders)
    return {Path(folder) for record in records if record is not None for folder in record.equipment}

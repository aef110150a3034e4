"""`moorage models`."""

from __future__ import annotations

import json
from typing import Any, Final

import click
from rich.table import Table

from moorage.app.settings import Settings
from moorage.cli.connection import connected
from moorage.cli.tables import print_table
from moorage.cli.target import on_moorage

_SHOWN: Final = 20


@click.command("models")
@click.argument("endpoint")
@click.option("--all", "shows_all", is_flag=True, help=f"Show all loaded models, not only the {_SHOWN} asked for most.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON, times in microseconds.")
@on_moorage
def command(settings: Settings, endpoint: str, shows_all: bool, as_json: bool) -> None:
    """Show which models a multi-model endpoint has in memory.

    By instance, those asked for most first, with the invocations since the instance began; and how many invocations
    found their model loaded, and how long those that did not had to wait.
    """
    with connected(settings) as moorage:
        instances = moorage.client("moorage").list_loaded_models(EndpointName=endpoint)["Instances"]
    if as_json:
        click.echo(json.dumps(instances, indent=2))
        return
    if not instances:
        click.echo("No instance serves many models.")
    for instance in instances:
        _print(instance, shows_all=shows_all)


def _print(instance: dict[str, Any], *, shows_all: bool) -> None:
    models = sorted(instance["Models"], key=lambda model: (-model["Invocations"], model["TargetModel"]))
    click.echo(f"{instance['VariantName']} {instance['InstanceId']}: {in_words(instance)}")
    table = Table("Target model", box=None, pad_edge=False)
    for figure in ("Memory", "Invocations"):
        table.add_column(figure, justify="right")
    for model in models if shows_all else models[:_SHOWN]:
        table.add_row(model["TargetModel"], f"{model['MemoryBytes'] / 1e6:.1f} MB", str(model["Invocations"]))
    if models:
        print_table(table)
    if len(models) > _SHOWN and not shows_all:
        click.echo(f"… and {len(models) - _SHOWN} more (--all)")


def in_words(instance: dict[str, Any]) -> str:
    """What was counted of an instance, in a line."""
    statistics = {each["MetricName"]: each for each in instance["Statistics"]}
    words = [f"{len(instance['Models'])} loaded"]
    hits = _mean(statistics.get("ModelCacheHit"))
    if hits is not None:
        words.append(f"{hits:.1%} of the invocations found theirs loaded")
    wait_us = _mean(statistics.get("ModelLoadingWaitTime"))
    if wait_us is not None:
        words.append(f"the others waited {wait_us / 1000:.0f} ms on average")
    return ", ".join(words)


def _mean(statistics: dict[str, int] | None) -> float | None:
    return statistics["Sum"] / statistics["SampleCount"] if statistics and statistics["SampleCount"] else None

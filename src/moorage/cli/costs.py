"""`moorage costs`."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import click
from rich.table import Table

from moorage.app.settings import Settings
from moorage.cli.connection import connected
from moorage.cli.since import Since
from moorage.cli.tables import print_table
from moorage.cli.target import on_moorage


@click.command("costs")
@click.argument("endpoint", required=False)
@click.option("--since", type=Since(), help="From when: 2h, 7d ago, or a time in ISO 8601.  [default: 30d]")
@click.option("--json", "as_json", is_flag=True, help="Print all figures as JSON.")
@on_moorage
def command(settings: Settings, endpoint: str | None, since: datetime | None, *, as_json: bool) -> None:
    """Show how long instances were there, and what SageMaker would have charged.

    Prices are examples unless the setting prices_file names others. What sleeping has saved is the time in which a
    variant had no instance, at the price of one.
    """
    which: dict[str, Any] = {"EndpointName": endpoint} if endpoint else {}
    if since is not None:
        which["StartTime"] = since
    with connected(settings) as moorage:
        answer = moorage.client("moorage").list_costs(**which)
    if as_json:
        click.echo(json.dumps(answer["Costs"], indent=2))
    elif answer["Costs"]:
        print_table(_table(answer))
    else:
        click.echo(f"{endpoint} had no instance in that time." if endpoint else "There were no instances in that time.")


def _table(answer: dict[str, Any]) -> Table:
    table = Table("Endpoint", "Variant", "Instance type", box=None, pad_edge=False)
    currency = answer["Currency"]
    for title in ("Instance-hours", f"{currency} per hour", currency, "Hours asleep", f"{currency} saved"):
        table.add_column(title, justify="right")
    for row in answer["Costs"]:
        names = (row["EndpointName"], row["VariantName"], row["InstanceType"])
        figures = ("InstanceHours", "PricePerHour", "Cost", "AsleepHours", "SavedBySleeping")
        table.add_row(*names, *(_figure(row.get(name)) for name in figures))
    table.add_row("In all", "", "", _figure(answer["InstanceHours"]), "", _figure(answer["Cost"]), "", "")
    return table


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"

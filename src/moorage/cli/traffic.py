"""`moorage traffic`."""

from __future__ import annotations

import json
from typing import Any

import click
from rich.table import Table

from moorage.app.settings import Settings
from moorage.cli.connection import connected
from moorage.cli.tables import print_table
from moorage.cli.target import on_moorage

_LATENCIES = ("Model p50", "p99", "Overhead p50", "p99")


@click.command("traffic")
@click.argument("endpoint", required=False)
@click.option(
    "--seconds", type=click.IntRange(1, 3600), default=60, show_default=True, help="How far back recent figures go."
)
@click.option("--json", "as_json", is_flag=True, help="Print all figures as JSON, latencies in microseconds.")
@on_moorage
def command(settings: Settings, endpoint: str | None, seconds: int, as_json: bool) -> None:
    """Show the invocations of endpoints, their errors and their latency.

    All endpoints, or of one its variants and instances. Refused are invocations that no instance was asked for: none
    was ready, or all were busy. What failed for its signature or its form is no invocation.
    """
    which = {"EndpointName": endpoint} if endpoint else {}
    with connected(settings) as moorage:
        traffic = moorage.client("moorage").list_traffic(PeriodSeconds=seconds, **which)["Traffic"]
    if as_json:
        click.echo(json.dumps(traffic, indent=2))
    elif traffic:
        print_table(_by_instance(traffic, seconds) if endpoint else _by_endpoint(traffic, seconds))
    else:
        click.echo("No invocations yet.")


def _by_endpoint(traffic: list[dict[str, Any]], seconds: int) -> Table:
    table = _table("Endpoint", seconds=seconds)
    for row in traffic:
        table.add_row(row["EndpointName"], *_figures(row))
    return table


def _by_instance(traffic: list[dict[str, Any]], seconds: int) -> Table:
    table = _table("Variant", "Instance", "Endpoint config", seconds=seconds)
    for row in traffic:
        table.add_row(
            row.get("VariantName", ""), row.get("InstanceId", ""), row.get("EndpointConfigName", ""), *_figures(row)
        )
    return table


def _table(*names: str, seconds: int) -> Table:
    table = Table(*names, box=None, pad_edge=False)
    figures = (f"Last {seconds} s", "4XX", "5XX", "Model errors", "Refused", *_LATENCIES, "In flight", "In total")
    for figure in figures:
        table.add_column(figure, justify="right")
    return table


def _figures(row: dict[str, Any]) -> list[str]:
    recent = row["Recent"]
    return [
        str(recent["Invocations"]),
        str(recent["Invocation4XXErrors"]),
        str(recent["Invocation5XXErrors"]),
        str(recent["InvocationModelErrors"]),
        str(recent["Refused"]),
        *(_milliseconds(recent.get(name), at) for name in ("ModelLatency", "OverheadLatency") for at in ("p50", "p99")),
        str(row["InFlight"]),
        str(row["Total"]["Invocations"]),
    ]


def _milliseconds(latency: dict[str, float] | None, at: str) -> str:
    return "–" if latency is None else f"{latency[at] / 1000:.2f} ms"

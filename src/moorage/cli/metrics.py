"""`moorage metrics`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import click
from rich.table import Table

from moorage.app.settings import Settings
from moorage.cli.connection import connected
from moorage.cli.since import Since
from moorage.cli.tables import print_table
from moorage.cli.target import on_moorage

_LAST: Final = timedelta(minutes=15)


class Column(NamedTuple):
    """A statistic of a metric, and how its values are shown."""

    title: str
    namespace: str
    metric: str
    statistic: str
    shown: str
    factor: float = 1.0


_TRAFFIC: Final = "AWS/SageMaker"
_INSTANCES: Final = "/aws/sagemaker/Endpoints"

COLUMNS: Final = (
    Column("Invocations", _TRAFFIC, "Invocations", "Sum", "{:.0f}"),
    Column("4XX", _TRAFFIC, "Invocation4XXErrors", "Sum", "{:.0f}"),
    Column("5XX", _TRAFFIC, "Invocation5XXErrors", "Sum", "{:.0f}"),
    Column("Model p50", _TRAFFIC, "ModelLatency", "p50", "{:.2f} ms", 1e-3),
    Column("p99", _TRAFFIC, "ModelLatency", "p99", "{:.2f} ms", 1e-3),
    Column("Overhead p99", _TRAFFIC, "OverheadLatency", "p99", "{:.2f} ms", 1e-3),
    Column("Concurrent", _TRAFFIC, "ConcurrentRequestsPerModel", "Maximum", "{:.0f}"),
    Column("CPU", _INSTANCES, "CPUUtilization", "Average", "{:.1f} %"),
    Column("Memory", _INSTANCES, "MemoryUtilization", "Average", "{:.1f} %"),
)


@click.command("metrics")
@click.argument("endpoint")
@click.option("--since", type=Since(), help="From when: 10m, 2h, 1d ago, or a time in ISO 8601.  [default: 15m]")
@click.option(
    "--period",
    type=click.IntRange(1),
    default=60,
    show_default=True,
    help="Seconds a row: 1, 5, 10, 20, 30, 60, 120, …",
)
@click.option("--json", "as_json", is_flag=True, help="Print all values as JSON, latencies in microseconds.")
@on_moorage
def command(settings: Settings, endpoint: str, since: datetime | None, *, period: int, as_json: bool) -> None:
    """Show an endpoint's metrics minute by minute.

    Every variant has a row for each period in which anything was measured. CPU is in per cent of one core.
    """
    now = datetime.now(UTC)
    with connected(settings) as moorage:
        found = moorage.client("sagemaker").describe_endpoint(EndpointName=endpoint)
        variants = [variant["VariantName"] for variant in found.get("ProductionVariants", [])]
        queries = _queries(found["EndpointName"], variants, period_s=period)
        pages = moorage.client("cloudwatch").get_paginator("get_metric_data")
        wanted = {"MetricDataQueries": queries, "StartTime": since or now - _LAST, "EndTime": now}
        rows = _rows(
            variants, list(pages.paginate(**wanted, ScanBy="TimestampAscending").search("MetricDataResults[]"))
        )
    if as_json:
        click.echo(json.dumps([_as_json(*row) for row in rows], indent=2))
    elif rows:
        print_table(_table(rows))
    else:
        click.echo("Nothing was measured in that time.")


class _Row(NamedTuple):
    """What was measured of a variant in a period, by the number of its column."""

    at: datetime
    variant: str
    values: Mapping[int, float]


def _queries(endpoint: str, variants: Sequence[str], *, period_s: int) -> list[dict[str, Any]]:
    return [
        {
            "Id": f"v{number}c{place}",
            "MetricStat": {
                "Metric": {
                    "Namespace": column.namespace,
                    "MetricName": column.metric,
                    "Dimensions": [
                        {"Name": "EndpointName", "Value": endpoint},
                        {"Name": "VariantName", "Value": variant},
                    ],
                },
                "Period": period_s,
                "Stat": column.statistic,
            },
        }
        for number, variant in enumerate(variants)
        for place, column in enumerate(COLUMNS)
    ]


def _rows(variants: Sequence[str], results: Sequence[Mapping[str, Any]]) -> list[_Row]:
    """By time, then variant."""
    found: dict[tuple[datetime, int], dict[int, float]] = {}
    for result in results:
        number, _, place = result["Id"].removeprefix("v").partition("c")
        for at, value in zip(result["Timestamps"], result["Values"], strict=True):
            found.setdefault((at, int(number)), {})[int(place)] = value
    return [_Row(at, variants[number], values) for (at, number), values in sorted(found.items())]


def _table(rows: Sequence[_Row]) -> Table:
    table = Table("Time (UTC)", "Variant", box=None, pad_edge=False)
    for column in COLUMNS:
        table.add_column(column.title, justify="right")
    for at, variant, values in rows:
        shown = [_shown(column, values.get(place)) for place, column in enumerate(COLUMNS)]
        table.add_row(at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S"), variant, *shown)
    return table


def _shown(column: Column, value: float | None) -> str:
    return "–" if value is None else column.shown.format(value * column.factor)


def _as_json(at: datetime, variant: str, values: Mapping[int, float]) -> dict[str, Any]:
    measured = {f"{COLUMNS[place].metric}.{COLUMNS[place].statistic}": values[place] for place in sorted(values)}
    return {"Time": at.astimezone(UTC).isoformat(), "VariantName": variant, **measured}

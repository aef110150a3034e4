"""`moorage list`."""

from __future__ import annotations

from typing import Any

import click
from rich.table import Table

from moorage.app.settings import Settings
from moorage.cli.connection import connected
from moorage.cli.tables import print_table
from moorage.cli.target import command_line, on_moorage


@click.command("list")
@on_moorage
def command(settings: Settings) -> None:
    """List the endpoints.

    With their status, the instances each has and should have, and the endpoint config in force.
    """
    with connected(settings) as moorage:
        sagemaker = moorage.client("sagemaker")
        pages = sagemaker.get_paginator("list_endpoints").paginate(SortBy="Name", SortOrder="Ascending")
        names = [endpoint["EndpointName"] for page in pages for endpoint in page["Endpoints"]]
        endpoints = [sagemaker.describe_endpoint(EndpointName=name) for name in names]
    if not endpoints:
        click.echo(f"No endpoints yet. Make one: {command_line(settings, 'deploy')} PATH")
        return
    print_table(_table(endpoints))


def _table(endpoints: list[dict[str, Any]]) -> Table:
    table = Table("Endpoint", "Status", "Instances", "Endpoint config", "Since", box=None, pad_edge=False)
    for endpoint in endpoints:
        table.add_row(
            endpoint["EndpointName"],
            endpoint["EndpointStatus"],
            _instances(endpoint),
            endpoint["EndpointConfigName"],
            f"{endpoint['LastModifiedTime'].astimezone():%Y-%m-%d %H:%M:%S}",
        )
    return table


def _instances(endpoint: dict[str, Any]) -> str:
    return " ".join(
        f"{variant['VariantName']} {capacity(variant)}" for variant in endpoint.get("ProductionVariants", ())
    )


def capacity(variant: dict[str, Any]) -> str:
    """What a variant has and should have of instances, in a word or two; of a serverless one the API does not say."""
    if "CurrentServerlessConfig" in variant:
        return "serverless"
    current, desired = variant.get("CurrentInstanceCount", 0), variant.get("DesiredInstanceCount", 0)
    return f"{current}/{desired}" if current or desired else "asleep"

"""`moorage keys`."""

from __future__ import annotations

import click
from rich.table import Table

from moorage.app.settings import Settings
from moorage.cli.connection import connected
from moorage.cli.tables import print_table
from moorage.cli.target import command_line, on_moorage


@click.group("keys")
def command() -> None:
    """Make, list and revoke the bearer keys of endpoints.

    A bearer key invokes one endpoint over plain HTTP, by callers that cannot sign: `Authorization: Bearer KEY`.
    With --metrics it opens the page /metrics, which Prometheus scrapes.
    """


_metrics = click.option("--metrics", is_flag=True, help="The keys of the page /metrics instead of an endpoint's.")


@command.command("create")
@click.argument("endpoint", required=False)
@_metrics
@click.option("--description", help="What the key is for.")
@on_moorage
def create(settings: Settings, endpoint: str | None, *, metrics: bool, description: str | None) -> None:
    """Make a key and print it, this once.

    Whoever has it may invoke the endpoint, or read the metrics. Moorage keeps only its SHA-256.
    """
    which = _which(endpoint, metrics=metrics)
    more = {"Description": description} if description else {}
    with connected(settings) as moorage:
        client = moorage.client("moorage")
        made = client.create_metrics_key(**more) if metrics else client.create_bearer_key(**which, **more)
    click.echo(made["Key"])
    revoke = command_line(settings, f"keys revoke {endpoint or '--metrics'} {made['KeyId']}")
    click.echo(f"Its id is {made['KeyId']}. To revoke it: {revoke}", err=True)


@command.command("list")
@click.argument("endpoint", required=False)
@_metrics
@on_moorage
def list_keys(settings: Settings, endpoint: str | None, *, metrics: bool) -> None:
    """List the keys of an endpoint, the oldest first."""
    which = _which(endpoint, metrics=metrics)
    with connected(settings) as moorage:
        client = moorage.client("moorage")
        keys = (client.list_metrics_keys() if metrics else client.list_bearer_keys(**which))["BearerKeys"]
    if not keys:
        click.echo("The page /metrics has no keys." if metrics else f"{endpoint} has no keys.")
        return
    table = Table("Key id", "Made", "Description", box=None, pad_edge=False)
    for key in keys:
        made = f"{key['CreationTime'].astimezone():%Y-%m-%d %H:%M:%S}"
        table.add_row(key["KeyId"], made, key.get("Description", ""))
    print_table(table, prose=("Description",))


@command.command("revoke")
@click.argument("endpoint_and_key", nargs=-1, metavar="[ENDPOINT] KEY_ID")
@_metrics
@on_moorage
def revoke(settings: Settings, endpoint_and_key: tuple[str, ...], *, metrics: bool) -> None:
    """Revoke a key: when the command ends, nobody takes it any more."""
    if len(endpoint_and_key) != (1 if metrics else 2):
        raise click.UsageError("Name an endpoint and a key, or say --metrics and name a key.")
    *endpoints, key_id = endpoint_and_key
    which = _which(*endpoints, metrics=metrics)
    with connected(settings) as moorage:
        client = moorage.client("moorage")
        if metrics:
            client.delete_metrics_key(KeyId=key_id)
        else:
            client.delete_bearer_key(**which, KeyId=key_id)
    click.echo(f"Revoked {key_id}.")


def _which(endpoint: str | None = None, *, metrics: bool) -> dict[str, str]:
    """Whose keys are meant, as a parameter. Raises click's UsageError unless it is one of the two."""
    if metrics == (endpoint is not None):
        raise click.UsageError("Name an endpoint, or say --metrics.")
    return {"EndpointName": endpoint} if endpoint is not None else {}

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
    """


@command.command("create")
@click.argument("endpoint")
@click.option("--description", help="What the key is for.")
@on_moorage
def create(settings: Settings, endpoint: str, description: str | None) -> None:
    """Make a key and print it, this once.

    Whoever has it may invoke the endpoint. Moorage keeps only its SHA-256.
    """
    more = {"Description": description} if description else {}
    with connected(settings) as moorage:
        made = moorage.client("moorage").create_bearer_key(EndpointName=endpoint, **more)
    click.echo(made["Key"])
    revoke = command_line(settings, f"keys revoke {endpoint} {made['KeyId']}")
    click.echo(f"Its id is {made['KeyId']}. To revoke it: {revoke}", err=True)


@command.command("list")
@click.argument("endpoint")
@on_moorage
def list_keys(settings: Settings, endpoint: str) -> None:
    """List the keys of an endpoint, the oldest first."""
    with connected(settings) as moorage:
        keys = moorage.client("moorage").list_bearer_keys(EndpointName=endpoint)["BearerKeys"]
    table = Table("Key id", "Made", "Description", box=None, pad_edge=False)
    for key in keys:
        made = f"{key['CreationTime'].astimezone():%Y-%m-%d %H:%M:%S}"
        table.add_row(key["KeyId"], made, key.get("Description", ""))
    print_table(table)


@command.command("revoke")
@click.argument("endpoint")
@click.argument("key_id")
@on_moorage
def revoke(settings: Settings, endpoint: str, key_id: str) -> None:
    """Revoke a key: when the command ends, no gateway takes it any more."""
    with connected(settings) as moorage:
        moorage.client("moorage").delete_bearer_key(EndpointName=endpoint, KeyId=key_id)
    click.echo(f"Revoked {key_id}.")

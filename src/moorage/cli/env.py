"""`moorage env`."""

from __future__ import annotations

import os
import shlex

import click

from moorage.app import credentials, lifecycle
from moorage.app.settings import Settings
from moorage.cli.target import on_moorage


@click.command("env")
@on_moorage
def command(settings: Settings) -> None:
    """Print the exports that point AWS clients at Moorage.

    For your shell: eval "$(moorage env)". The key is the account's root key: whoever has it may do everything.
    """
    url = lifecycle.endpoint_url(settings)
    key = credentials.load(settings)
    values = {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": key.access_key_id,
        "AWS_SECRET_ACCESS_KEY": key.secret_access_key,
        "AWS_REGION": settings.region,
        "AWS_DEFAULT_REGION": settings.region,
        "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",  # for `aws logs start-live-tail`: stream-127.0.0.1 is no host
    }
    for name, value in values.items():
        click.echo(f"export {name}={shlex.quote(value)}")
    if "AWS_SESSION_TOKEN" in os.environ:
        click.echo("unset AWS_SESSION_TOKEN")  # it belongs to other keys, and would be refused with these

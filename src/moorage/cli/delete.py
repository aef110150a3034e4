"""`moorage delete`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from moorage.app.settings import Settings
from moorage.cli.connection import Connection, connected
from moorage.cli.deploy import hosting
from moorage.cli.deploy.naming import bucket_name, is_tagged_for, revision_stem
from moorage.cli.failures import Failure
from moorage.cli.progress import Steps
from moorage.cli.target import command_line, on_moorage
from moorage.core.words import counted


@click.command("delete")
@click.argument("name")
@on_moorage
def command(settings: Settings, name: str) -> None:
    """Delete an endpoint, and what `moorage deploy` made for it.

    Models, endpoint configs and artefacts that were made in another way are left alone.
    """
    steps = Steps()
    with connected(settings) as moorage:
        sagemaker = moorage.client("sagemaker")
        found = hosting.find_endpoint(sagemaker, name) is not None
        if found:
            with steps.step(f"Deleting endpoint {name}") as step:
                hosting.delete_endpoint(sagemaker, name, watcher=lambda status: step.say(f"Endpoint {name}: {status}"))
        configs = list(_made_for(sagemaker, name, "endpoint_configs"))
        models = list(_made_for(sagemaker, name, "models"))
        if not (found or configs or models):
            raise Failure(f"There is no endpoint {name}.", hint=f"Those there are: {command_line(settings, 'list')}")
        with steps.step(_deleted(len(configs), len(models))):
            for config in configs:
                sagemaker.delete_endpoint_config(EndpointConfigName=config["EndpointConfigName"])
            for model in models:
                sagemaker.delete_model(ModelName=model["ModelName"])
            _delete_artefacts(moorage, bucket_name(settings.account_id, moorage.region), name)


def _deleted(configs: int, models: int) -> str:
    return f"Deleted {counted(configs, 'endpoint config')}, {counted(models, 'model')} and what was uploaded for them"


def _made_for(sagemaker: Any, endpoint: str, kind: str) -> Iterator[dict[str, Any]]:
    """Resources of a kind that `moorage deploy` made for this endpoint, by their tag."""
    noun = {"models": "Model", "endpoint_configs": "EndpointConfig"}[kind]
    pages = sagemaker.get_paginator(f"list_{kind}").paginate(NameContains=revision_stem(endpoint))
    for item in [item for page in pages for item in page[f"{noun}s"]]:
        if is_tagged_for(endpoint, sagemaker.list_tags(ResourceArn=item[f"{noun}Arn"])["Tags"]):
            yield item


def _delete_artefacts(moorage: Connection, bucket: str, endpoint: str) -> None:
    s3 = moorage.client("s3")
    try:
        pages = list(s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{endpoint}/"))
    except s3.exceptions.NoSuchBucket:
        return
    for page in pages:
        for stored in page.get("Contents", []):
            s3.delete_object(Bucket=bucket, Key=stored["Key"])

"""`moorage deploy`: the steps, in order."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from moorage.app.settings import Settings
from moorage.cli.connection import Connection, connected
from moorage.cli.deploy import artefact, frameworks, hosting, naming
from moorage.cli.deploy.packing import pack
from moorage.cli.failures import Failure
from moorage.cli.log_streams import LogTail
from moorage.cli.progress import Steps
from moorage.cli.target import command_line, on_moorage
from moorage.core.words import sized

LOG_LINES_ON_FAILURE = 20


@click.command("deploy")
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--name", help="The endpoint's name.  [default: made of the file's or folder's name]")
@click.option("--instances", type=click.IntRange(1), help="How many instances are to serve it.  [default: 1]")
@click.option(
    "--serverless", is_flag=True, help="Have an instance only while it is asked; the first request then waits for it."
)
@click.option(
    "--framework",
    help="NAME or NAME:VERSION of the framework that the model was made with.  [default: told by its files]",
)
@click.option("--image", help="The URI of an image, in place of --framework.")
@click.option("--environment", "-e", multiple=True, metavar="KEY=VALUE", help="Environment of the model; repeatable.")
@on_moorage
def command(
    settings: Settings,
    path: Path,
    *,
    name: str | None,
    instances: int | None,
    serverless: bool,
    framework: str | None,
    image: str | None,
    environment: tuple[str, ...],
) -> None:
    """Deploy a model file, folder or archive to an endpoint.

    PATH is a model file (.pkl, .joblib, .onnx, .pt, …), a folder (the model and, if it needs code of its own,
    code/inference.py), or a finished model.tar.gz. An endpoint of the same name is updated without a failed request.
    """
    variables, capacity = _parsed(environment), _capacity(instances, is_serverless=serverless)
    names = naming.names_for(name or naming.endpoint_name(path), now=datetime.now(UTC))
    with connected(settings) as moorage:
        made_with = framework or frameworks.told_by(path)
        chosen = image or frameworks.image_uri(made_with, account_id=settings.account_id, region=moorage.region)
        steps = Steps()
        url = _upload(moorage, path, names, account_id=settings.account_id, steps=steps)
        with steps.step(f"Creating model and endpoint config {names.revision}"):
            role_arn = artefact.ensure_role(moorage.client("iam"))
            wanted = hosting.Wanted(chosen, url, role_arn, variables, capacity)
            hosting.create_revision(moorage.client("sagemaker"), names, wanted)
        _roll_out(moorage, names, steps)
    click.echo(_next_lines(settings, names.endpoint))


def _capacity(instances: int | None, *, is_serverless: bool) -> Mapping[str, Any]:
    if is_serverless and instances is not None:
        raise click.UsageError("--serverless and --instances exclude each other")
    return hosting.SERVERLESS if is_serverless else hosting.instances(instances or 1)


def _parsed(pairs: Iterable[str]) -> dict[str, str]:
    for pair in pairs:
        if "=" not in pair:
            raise click.BadParameter(f"{pair!r} is not KEY=VALUE", param_hint="--environment")
    return dict(pair.split("=", 1) for pair in pairs)


def _upload(moorage: Connection, path: Path, names: naming.Names, *, account_id: str, steps: Steps) -> str:
    with tempfile.TemporaryDirectory(prefix="moorage-deploy-") as folder:
        with steps.step(f"Packing {path}") as step:
            packed = pack(path, Path(folder) / "model.tar.gz")
            step.text = f"Packed {path}: {sized(packed.size_bytes)}, sha256 {packed.digest[:12]}"
        bucket = naming.bucket_name(account_id, moorage.region)
        with steps.step(f"Uploading to s3://{bucket}"):
            return artefact.upload(moorage.client("s3"), packed, bucket=bucket, names=names)


def _roll_out(moorage: Connection, names: naming.Names, steps: Steps) -> None:
    sagemaker = moorage.client("sagemaker")
    try:
        with steps.step(f"Endpoint {names.endpoint}") as step:
            hosting.roll_out(sagemaker, names, watcher=lambda status: step.say(f"Endpoint {names.endpoint}: {status}"))
    except hosting.RolloutFailed as error:
        for line in LogTail(moorage.client("logs"), names.endpoint).last(LOG_LINES_ON_FAILURE):
            click.echo(str(line), err=True)
        raise Failure(f"{names.endpoint} was not deployed: {error}") from error


def _next_lines(settings: Settings, endpoint: str) -> str:
    payload = '{"instances": [[5.1, 3.5, 1.4, 0.2]]}'
    return f"""
{endpoint} is in service. Send it a request of your model's own shape:

  {command_line(settings, f"invoke {endpoint}")} -d '{payload}'

With any AWS client, after  eval "$({command_line(settings, "env")})":

  echo '{payload}' | aws sagemaker-runtime invoke-endpoint --endpoint-name {endpoint} \\
      --content-type application/json --body fileb:///dev/stdin answer.json && cat answer.json

  curl --aws-sigv4 "aws:amz:$AWS_REGION:sagemaker" --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" \\
      -H 'Content-Type: application/json' -d '{payload}' "$AWS_ENDPOINT_URL/endpoints/{endpoint}/invocations"

  boto3.client("sagemaker-runtime").invoke_endpoint(
      EndpointName="{endpoint}", ContentType="application/json", Body='{payload}')["Body"].read()
"""

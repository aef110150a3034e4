"""`moorage invoke`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Final

import click

from moorage.app.settings import Settings
from moorage.cli.connection import connected
from moorage.cli.failures import Failure
from moorage.cli.target import command_line, on_moorage

_CONTENT_TYPES: Final = {".csv": "text/csv", ".npy": "application/x-npy", ".txt": "text/plain"}
_DEFAULT_CONTENT_TYPE: Final = "application/json"


@click.command("invoke")
@click.argument("name")
@click.option("--body", "-d", default="-", help="The request: text, @FILE, or - for standard input.  [default: -]")
@click.option("--content-type", help="The request's type.  [default: by the file's suffix, else application/json]")
@click.option("--accept", help="The type wanted back.")
@click.option("--target-variant", help="The production variant to ask, past the traffic weights.")
@click.option("--target-container", help="The container to ask, of an endpoint in direct mode.")
@click.option("--target-model", help="The model to ask, of a multi-model endpoint: its key below the prefix.")
@on_moorage
def command(
    settings: Settings,
    name: str,
    *,
    body: str,
    content_type: str | None,
    accept: str | None,
    target_variant: str | None,
    target_container: str | None,
    target_model: str | None,
) -> None:
    """Send one request to an endpoint and print the answer.

    The answer's bytes go to standard output as they are. When the model refuses the request, the error is its message.
    """
    request = {
        "EndpointName": name,
        "Body": _read(body),
        "ContentType": content_type or _guessed_type(body),
        "Accept": accept,
        "TargetVariant": target_variant,
        "TargetContainerHostname": target_container,
        "TargetModel": target_model,
    }
    with connected(settings) as moorage:
        runtime = moorage.client("sagemaker-runtime")
        try:
            answer = runtime.invoke_endpoint(**{key: value for key, value in request.items() if value is not None})
        except runtime.exceptions.ModelError as error:
            log = command_line(settings, f"logs {name}")
            raise _refused_by_model(error.response, hint=f"What else it said: {log}") from error
        content = answer["Body"].read()
    sys.stdout.buffer.write(content)
    if sys.stdout.isatty() and not content.endswith(b"\n"):
        sys.stdout.buffer.write(b"\n")


def _read(body: str) -> bytes:
    if body == "-":
        if sys.stdin.isatty():
            click.echo("The request, then Ctrl-D on a line of its own:", err=True)
        return sys.stdin.buffer.read()
    if not body.startswith("@"):
        return body.encode()
    try:
        return Path(body[1:]).read_bytes()
    except OSError as error:
        raise Failure(f"Cannot read {body[1:]}: {error.strerror}.") from error


def _guessed_type(body: str) -> str:
    suffix = Path(body[1:]).suffix if body.startswith("@") else ""
    return _CONTENT_TYPES.get(suffix, _DEFAULT_CONTENT_TYPE)


def _refused_by_model(response: dict[str, Any], *, hint: str) -> Failure:
    status, message = response.get("OriginalStatusCode"), response.get("OriginalMessage")
    return Failure(f"The model answered {status}: {message}" if status else f"The model failed: {message}", hint=hint)

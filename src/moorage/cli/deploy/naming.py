"""What a deployment's resources are called, and how they are recognised again when the endpoint is deleted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from moorage.cli.deploy.packing import ARCHIVE_SUFFIXES
from moorage.cli.failures import Failure

ROLE_NAME: Final = "moorage-deploy"
ENDPOINT_TAG: Final = "moorage:deployed-to"
"""On every model and endpoint config that `moorage deploy` makes, with the endpoint's name as its value."""

_NAME_CHARS_MAX: Final = 63
_ENDPOINT_NAME: Final = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
_STAMP_CHARS: Final = len("-20261121-025500-123")


@dataclass(frozen=True, slots=True)
class Names:
    """The names of one deployment."""

    endpoint: str
    revision: str
    """Of the model and the endpoint config: the endpoint's name and when this deployment was made."""


def names_for(endpoint: str, *, now: datetime) -> Names:
    """Names for a deployment to `endpoint` that starts now. Raises Failure when SageMaker takes no such name."""
    if not _ENDPOINT_NAME.fullmatch(endpoint):
        raise Failure(
            f"{endpoint!r} cannot name an endpoint: use letters and digits, with hyphens between them, 63 at most."
        )
    stamp = f"{now:%Y%m%d-%H%M%S}-{now.microsecond // 1000:03d}"
    return Names(endpoint, f"{revision_stem(endpoint)}-{stamp}")


def revision_stem(endpoint: str) -> str:
    """What the name of every revision of an endpoint begins with."""
    return endpoint[: _NAME_CHARS_MAX - _STAMP_CHARS].rstrip("-")


def endpoint_name(path: Path) -> str:
    """An endpoint name from a file's or folder's. Raises Failure when nothing of it can be used."""
    name = path.resolve().name
    for suffix in (*ARCHIVE_SUFFIXES, path.suffix):
        name = name.removesuffix(suffix)
    cleaned = re.sub(r"[^a-zA-Z0-9]+", "-", name).strip("-")[:_NAME_CHARS_MAX].rstrip("-")
    if not cleaned:
        raise Failure(f"No endpoint name can be made of {path}.", hint="Give one: --name NAME")
    return cleaned


def bucket_name(account_id: str, region: str) -> str:
    """The bucket that artefacts of `moorage deploy` lie in."""
    return f"moorage-deploy-{account_id}-{region}"


def tags_for(endpoint: str) -> list[dict[str, str]]:
    """Tags in the form that SageMaker's Create operations take."""
    return [{"Key": ENDPOINT_TAG, "Value": endpoint}]


def is_tagged_for(endpoint: str, tags: Sequence[dict[str, Any]]) -> bool:
    """Whether tags say that a resource was made for `endpoint` by `moorage deploy`."""
    return any(tag["Key"] == ENDPOINT_TAG and tag["Value"] == endpoint for tag in tags)

"""What tags may be put on a resource. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from moorage.api.sagemaker.errors import invalid
from moorage.aws.types.sagemaker import Tag

TAGS_MAX: Final = 50


def read_tags(tags: Sequence[Tag]) -> dict[str, str]:
    """The tags of a request, in order. Raises ValidationException for a reserved or a doubled key."""
    read: dict[str, str] = {}
    for tag in tags:
        key = tag["Key"]
        if key.lower().startswith("aws:"):
            raise invalid(f"Tag keys that start with 'aws:' are reserved for system use: '{key}'.")
        if key in read:
            raise invalid(f"Tag keys must be unique, and '{key}' is given more than once.")
        read[key] = tag["Value"]
    return read


def check_count(tags: Mapping[str, str]) -> None:
    """Raises ValidationException if a resource would have more tags than SageMaker allows."""
    if len(tags) > TAGS_MAX:
        raise invalid(f"A resource can have {TAGS_MAX} tags at most; this one would have {len(tags)}.")

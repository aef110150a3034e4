"""What tags may be put on a resource. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from moorage.api import tags as tags_of
from moorage.api.sagemaker.errors import invalid
from moorage.aws.types.sagemaker import Tag


def read_tags(tags: Sequence[Tag]) -> dict[str, str]:
    """The tags of a request, in order. Raises ValidationException for a reserved or a doubled key."""
    return tags_of.read_pairs(((tag["Key"], tag["Value"]) for tag in tags), invalid)


def check_count(tags: Mapping[str, str]) -> None:
    """Raises ValidationException if a resource would have more tags than SageMaker allows."""
    tags_of.check_room(tags, invalid)

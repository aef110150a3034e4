"""What tags may be put on an alarm or a dashboard. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from moorage.api import tags as tags_of
from moorage.api.cloudwatch.errors import invalid_value
from moorage.aws.types.cloudwatch import Tag


def read_tags(tags: Sequence[Tag]) -> Mapping[str, str]:
    """The tags of a request. Raises InvalidParameterValue for a reserved or a doubled key, and for too many."""
    read = tags_of.read_pairs(((tag["Key"], tag["Value"]) for tag in tags), invalid_value)
    check_count(read)
    return read


def check_count(tags: Mapping[str, str]) -> None:
    """Raises InvalidParameterValue if a resource would have more tags than CloudWatch allows."""
    tags_of.check_room(tags, invalid_value)

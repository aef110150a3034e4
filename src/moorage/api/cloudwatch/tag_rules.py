"""What tags may be put on an alarm or a dashboard. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from moorage.api.cloudwatch.errors import invalid_value
from moorage.aws.types.cloudwatch import Tag

TAGS_MAX: Final = 50


def read_tags(tags: Sequence[Tag]) -> Mapping[str, str]:
    """The tags of a request. Raises InvalidParameterValue for a reserved or a doubled key, and for too many."""
    read: dict[str, str] = {}
    for tag in tags:
        key = tag["Key"]
        if key.lower().startswith("aws:"):
            raise invalid_value(f"Tag keys that start with 'aws:' are reserved for system use: '{key}'.")
        if key in read:
            raise invalid_value(f"Tag keys must be unique, and '{key}' is given more than once.")
        read[key] = tag["Value"]
    check_count(read)
    return read


def check_count(tags: Mapping[str, str]) -> None:
    """Raises InvalidParameterValue if a resource would have more tags than CloudWatch allows."""
    if len(tags) > TAGS_MAX:
        raise invalid_value(f"A resource can have {TAGS_MAX} tags at most; this one would have {len(tags)}.")

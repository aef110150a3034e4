"""What tags a log group may have. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from moorage.api.logs.errors import invalid
from moorage.api.tags import TAGS_MAX, check_key
from moorage.aws.errors import ServiceError


def check_tags(tags: Mapping[str, str]) -> None:
    """Raises InvalidParameterException for a reserved key."""
    for key in tags:
        check_key(key, invalid)


def check_count(tags: Mapping[str, str]) -> None:
    """Raises TooManyTagsException for more tags than a group can have."""
    if len(tags) > TAGS_MAX:
        message = f"A log group can have {TAGS_MAX} tags at most; this one would have {len(tags)}."
        raise ServiceError("TooManyTagsException", message)

"""What tags a log group may have. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from moorage.api.logs.errors import invalid
from moorage.aws.errors import ServiceError

TAGS_MAX: Final = 50


def check_tags(tags: Mapping[str, str]) -> None:
    """Raises InvalidParameterException for a reserved key."""
    for key in tags:
        if key.lower().startswith("aws:"):
            raise invalid(f"Tag keys that start with 'aws:' are reserved for system use: '{key}'.")


def check_count(tags: Mapping[str, str]) -> None:
    """Raises TooManyTagsException for more tags than a group can have."""
    if len(tags) > TAGS_MAX:
        message = f"A log group can have {TAGS_MAX} tags at most; this one would have {len(tags)}."
        raise ServiceError("TooManyTagsException", message)

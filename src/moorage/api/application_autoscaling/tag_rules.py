"""What tags may be put on a scalable target. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from moorage.api.application_autoscaling.errors import invalid
from moorage.api.tags import TAGS_MAX, check_key
from moorage.aws.errors import ServiceError

_KEY_MAX: Final = 128
_VALUE_MAX: Final = 256


def check_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """The tags of a request. Raises ValidationException, TooManyTagsException."""
    for key, value in tags.items():
        check_key(key, invalid)
        if not 1 <= len(key) <= _KEY_MAX or len(value) > _VALUE_MAX:
            raise invalid(f"A tag's key has 1 to {_KEY_MAX} characters and its value {_VALUE_MAX} at most.")
    check_count(tags)
    return dict(tags)


def check_count(tags: Mapping[str, str]) -> None:
    """Raise TooManyTagsException for more than a target can have."""
    if len(tags) > TAGS_MAX:
        raise ServiceError("TooManyTagsException", f"A scalable target can have {TAGS_MAX} tags at most.")

"""What services agree on about tags, whatever error each answers with. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from moorage.aws.errors import ServiceError

TAGS_MAX: Final = 50
"""On one resource."""

Refuse = Callable[[str], ServiceError]
"""Makes a service's error of a sentence."""


def check_key(key: str, refuse: Refuse) -> None:
    """Raises what `refuse` makes for a reserved key."""
    if key.lower().startswith("aws:"):
        raise refuse(f"Tag keys that start with 'aws:' are reserved for system use: '{key}'.")


def read_pairs(pairs: Iterable[tuple[str, str]], refuse: Refuse) -> dict[str, str]:
    """The tags of a request, in order. Raises what `refuse` makes for a reserved or a doubled key."""
    read: dict[str, str] = {}
    for key, value in pairs:
        check_key(key, refuse)
        if key in read:
            raise refuse(f"Tag keys must be unique, and '{key}' is given more than once.")
        read[key] = value
    return read


def check_room(tags: Mapping[str, str], refuse: Refuse) -> None:
    """Raises what `refuse` makes if a resource would have more tags than it can have."""
    if len(tags) > TAGS_MAX:
        raise refuse(f"A resource can have {TAGS_MAX} tags at most; this one would have {len(tags)}.")

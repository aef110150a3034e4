"""Media types: which codec a body needs, and which answer a caller prefers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

JSON: Final = "application/json"
CSV: Final = "text/csv"
NPY: Final = "application/x-npy"


def media_type(header: str) -> str:
    """`Text/CSV; charset=utf-8` → `text/csv`."""
    return header.partition(";")[0].strip().lower()


def is_text(media: str) -> bool:
    """Whether a script's `input_fn` gets the body as `str`, as it does in the AWS containers, and not as `bytes`."""
    return media.startswith("text/") or media in {JSON, "application/jsonlines"} or media.endswith("+json")


def first_choice(accept: str, *, default: str) -> str:
    """The media type a caller likes best, whoever can make it: for a script that looks at `accept` itself."""
    for media in _by_preference(accept):
        if not _is_range(media):
            return media
    return default


def negotiate(accept: str, supported: Sequence[str], *, default: str) -> str | None:
    """The supported type that `accept` likes best, or None. A range (`*/*`) stands for the default, then the order.

    `text/csv;q=0.5, application/x-npy` → `application/x-npy`; empty means anything.
    """
    if not accept.strip():
        return default
    ordered = sorted(supported, key=lambda media: media != default)
    for wanted in _by_preference(accept):
        for media in ordered:
            if _matches(media, wanted):
                return media
    return None


def _by_preference(accept: str) -> list[str]:
    weighted = [(_quality(item), media_type(item)) for item in accept.split(",") if item.strip()]
    return [media for quality, media in sorted(weighted, key=lambda pair: -pair[0]) if quality > 0]


def _quality(item: str) -> float:
    for parameter in item.split(";")[1:]:
        name, _, value = parameter.strip().partition("=")
        if name.strip().lower() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def _is_range(media: str) -> bool:
    return media.endswith("/*")


def _matches(media: str, wanted: str) -> bool:
    if wanted == "*/*":
        return True
    if _is_range(wanted):
        return media.startswith(wanted[:-1])
    return media == wanted

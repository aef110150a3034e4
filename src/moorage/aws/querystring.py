"""Query strings and forms, taken apart without loss: order, empty values and repeated names are kept."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import unquote_plus


def parse_pairs(text: str) -> Iterator[tuple[str, str]]:
    """Names and values of `a=1&b=&c`, decoded as UTF-8; bytes that are not UTF-8 become U+FFFD."""
    for part in text.split("&"):
        if part:
            name, _, value = part.partition("=")
            yield unquote_plus(name), unquote_plus(value)

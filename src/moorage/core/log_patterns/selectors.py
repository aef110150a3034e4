"""What names a property of a JSON line: `$.request.headers["x-id"]`, `$.users[0].email`, `$.tags[*]`.

A dot before a bracket is allowed, as in other dialects of such paths: `$.['x.id']`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from moorage.core.log_patterns.scanner import Scanner, unescape

_SELECTOR: Final = re.compile(
    r"""\$(?:\.[^\s.\[\]=!<>()&|"'*,{}]+|\.?\[(?:\d{1,9}|\*|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')\])*"""
)
_STEP: Final = re.compile(r"""\.([^.\[]+)|\[(\d+)\]|(\[\*\])|\["((?:[^"\\]|\\.)*)"\]|\['((?:[^'\\]|\\.)*)'\]""")


class Every:
    """All elements of an array."""


_EVERY: Final = Every()


@dataclass(frozen=True, slots=True)
class Selector:
    """The way to a property: names of properties, numbers of elements."""

    text: str
    steps: tuple[str | int | Every, ...]

    def find(self, document: Any) -> Iterator[Any]:
        """What is there: nothing, one value or, of all elements of an array, several."""
        values = [document]
        for step in self.steps:
            values = [inner for value in values for inner in _inside(value, step)]
        yield from values


def take_selector(scanner: Scanner) -> Selector:
    """The selector that comes next. Raises InvalidPattern."""
    found = scanner.take_match(_SELECTOR)
    if found is None or found[0] == "$":
        raise scanner.refuse("expected a property such as $.name")
    return _selector(found[0])


def parse_selector(text: str) -> Selector | None:
    """The selector that `text` is, if it is one."""
    return _selector(text) if _SELECTOR.fullmatch(text) else None


def _selector(text: str) -> Selector:
    return Selector(text, tuple(_step(found) for found in _STEP.finditer(text)))


def _step(found: re.Match[str]) -> str | int | Every:
    name, number, every, *quoted = found.groups()
    if every is not None:
        return _EVERY
    if number is not None:
        return int(number)
    return name if name is not None else unescape(quoted[0] if quoted[0] is not None else quoted[1])


def _inside(value: Any, step: str | int | Every) -> list[Any]:
    if isinstance(step, str):
        return [value[step]] if isinstance(value, dict) and step in value else []
    if not isinstance(value, list):
        return []
    if isinstance(step, Every):
        return value
    return value[step : step + 1]

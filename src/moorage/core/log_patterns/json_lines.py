"""Patterns for lines of JSON: `{ $.level = "ERROR" && ($.latency > 100 || $.tags[*] = slow) }`.

A line that is not a JSON object never matches. A property that is not there, or is null, satisfies no comparison, `!=`
included: that is what `NOT EXISTS` and `IS NULL` are for. Neither does an array or an object: only what is one value
can be compared ("special considerations" in AWS's guide). Of `[*]`, one element has to satisfy it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from moorage.core.log_patterns.conditions import Condition, parse_comparison, parse_condition
from moorage.core.log_patterns.scanner import Scanner
from moorage.core.log_patterns.selectors import Selector, parse_selector, take_selector

_STATE: Final = re.compile(r"IS\s+(NULL|TRUE|FALSE)\b|NOT\s+EXISTS\b")
_STATES: Final[Mapping[str, Any]] = {"NULL": None, "TRUE": True, "FALSE": False}


@dataclass(frozen=True, slots=True)
class JsonPattern:
    """A condition on the properties of a line, and which properties it speaks of."""

    holds: Condition[Any]
    selectors: Sequence[Selector]

    def matches(self, message: str) -> bool:
        """Whether a line is JSON and is as it has to be."""
        document = _parse(message)
        return document is not None and self.holds(document)

    def values(self, message: str) -> Mapping[str, str]:
        """The properties that the pattern speaks of, as far as the line has them."""
        found = {selector.text: self.value(message, selector.text) for selector in self.selectors}
        return {name: value for name, value in found.items() if value is not None}

    def names(self, selector: str) -> bool:
        """Any property."""
        return parse_selector(selector) is not None

    def value(self, message: str, selector: str) -> str | None:
        """The first value of any property, named as in a pattern, that is neither null nor an array nor an object."""
        wanted = parse_selector(selector)
        document = _parse(message)
        if wanted is None or document is None:
            return None
        return next((text for value in wanted.find(document) if (text := _text(value)) is not None), None)


def parse_json_pattern(scanner: Scanner) -> JsonPattern:
    """The rest of a pattern, from its brace. Raises InvalidPattern."""
    selectors: list[Selector] = []

    def leaf(scanner: Scanner) -> Condition[Any]:
        selectors.append(take_selector(scanner))
        return _about(selectors[-1], scanner)

    scanner.expect("{")
    holds = parse_condition(scanner, leaf)
    scanner.expect("}")
    if not scanner.is_at_end:
        raise scanner.refuse("something behind the last brace")
    return JsonPattern(holds, tuple(selectors))


def _about(selector: Selector, scanner: Scanner) -> Condition[Any]:
    """What is said of a property: a state or a comparison."""
    found = scanner.take_match(_STATE)
    if found is None:
        compare = parse_comparison(scanner)
        return lambda document: any(
            compare(text) for value in selector.find(document) if (text := _text(value)) is not None
        )
    if found[1] is None:
        return lambda document: not any(True for _ in selector.find(document))
    wanted = _STATES[found[1]]
    return lambda document: any(value is wanted for value in selector.find(document))


def _parse(message: str) -> dict[str, Any] | None:
    try:
        document = msgspec.json.decode(message)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return None
    return document if isinstance(document, dict) else None


def _text(value: Any) -> str | None:
    """A value as it is compared; None for what cannot be."""
    if value is None or isinstance(value, str):
        return value
    return None if isinstance(value, dict | list) else msgspec.json.encode(value).decode()

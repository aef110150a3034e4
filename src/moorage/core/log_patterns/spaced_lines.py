"""Patterns for lines whose fields stand between spaces: `[ip, user, ..., status = 4*, bytes > 1000]`.

A pattern names all the fields of a line, `...` any number of them; one without a name, as in `[ip, , user]`, goes by
its number. A field in quotes or brackets is one, without them. Conditions may be joined:
`[..., status = 404 || status = 410]`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from moorage.core.log_patterns.conditions import Comparison, Condition, parse_comparison, parse_condition
from moorage.core.log_patterns.scanner import Scanner

_NAME: Final = re.compile(r"\w+", re.ASCII)
_WORD: Final = re.compile(r"\S+")
_CLOSERS: Final = {'"': '"', "[": "]"}


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a line, and what its value has to be."""

    name: str | None
    """None if it goes by its number."""
    holds: Condition[str] | None


@dataclass(frozen=True, slots=True)
class SpacedPattern:
    """The fields before an ellipsis and those behind it, if there is one."""

    before: tuple[Field, ...]
    behind: tuple[Field, ...] | None

    def matches(self, message: str) -> bool:
        """Whether a line has so many fields, and each is as it has to be."""
        placed = self._place(split_fields(message))
        return placed is not None and all(field.holds is None or field.holds(value) for field, value in placed)

    def values(self, message: str) -> Mapping[str, str]:
        """Every field of a line that matches: by its name, or by its number where it has none."""
        fields = split_fields(message)
        named = {f"${number}": value for number, value in enumerate(fields, 1)}
        behind = self.behind or ()
        for index, field in [*enumerate(self.before), *enumerate(behind, len(fields) - len(behind))]:
            if field.name is not None:
                del named[f"${index + 1}"]
                named[f"${field.name}"] = fields[index]
        return named

    def names(self, selector: str) -> bool:
        """Its fields."""
        return selector.removeprefix("$") in {field.name for field in (*self.before, *(self.behind or ()))}

    def value(self, message: str, selector: str) -> str | None:
        """The field that is called so, with a dollar sign before its name."""
        return self.values(message).get(selector)

    def _place(self, values: list[str]) -> list[tuple[Field, str]] | None:
        """Which value is which field's; None if there are too many or too few."""
        behind = self.behind or ()
        count = len(self.before) + len(behind)
        if len(values) < count or (self.behind is None and len(values) > count):
            return None
        last = values[len(values) - len(behind) :]
        return [*zip(self.before, values, strict=False), *zip(behind, last, strict=True)]


def parse_spaced_pattern(scanner: Scanner) -> SpacedPattern:
    """The rest of a pattern, from its bracket. Raises InvalidPattern."""
    scanner.expect("[")
    if scanner.peek() == "]":
        raise scanner.refuse("expected the name of a field")
    before: list[Field] = []
    behind: list[Field] | None = None
    while True:
        if scanner.take("..."):
            if behind is not None:
                raise scanner.refuse("a second '...'", at=scanner.position - 3)
            behind = []
        else:
            (before if behind is None else behind).append(_field(scanner))
        if not scanner.take(","):
            break
    scanner.expect("]")
    if not scanner.is_at_end:
        raise scanner.refuse("something behind the last bracket")
    return SpacedPattern(tuple(before), None if behind is None else tuple(behind))


def split_fields(message: str) -> list[str]:
    """The fields of a line. A quote or bracket that nothing closes is a character like others."""
    fields: list[str] = []
    unclosed: set[str] = set()
    position, end = 0, len(message)
    while position < end:
        opener = message[position]
        if opener.isspace():
            position += 1
            continue
        closer = _CLOSERS.get(opener)
        close = message.find(closer, position + 1) if closer and closer not in unclosed else -1
        if closer and close < 0:
            unclosed.add(closer)  # to look for it again and again would take the square of the line's length
        if close >= 0:
            fields.append(message[position + 1 : close])
            position = close + 1
            continue
        word = _WORD.match(message, position)
        assert word is not None
        fields.append(word[0])
        position = word.end()
    return fields


def _field(scanner: Scanner) -> Field:
    if scanner.peek() in (",", "]"):
        return Field(None, None)
    names: set[str] = set()

    def comparison(scanner: Scanner) -> Comparison:
        names.add(_name(scanner))
        if len(names) > 1:
            raise scanner.refuse("conditions on two fields in the place of one")
        return (lambda value: True) if scanner.peek() in ("", ",", "]", ")") else parse_comparison(scanner)

    holds = parse_condition(scanner, comparison)
    return Field(names.pop(), holds)


def _name(scanner: Scanner) -> str:
    found = scanner.take_match(_NAME)
    if found is None:
        raise scanner.refuse("expected the name of a field")
    return found[0]

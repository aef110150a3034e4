"""The syntax of filter patterns' regular expressions: AWS's dialect, which has no groups.

^ $ at the ends · . · [a-z] [^a-z] · \\d \\D \\s \\S \\w \\W · \\x41 · \\. · * + ? {2} {2,} {2,4} · |
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from moorage.core.log_patterns.errors import InvalidPattern

_SYMBOLS: Final = frozenset(":_#=@/;,-")
_OPERATORS: Final = frozenset("^$?[]{}|\\*+.")
_QUANTIFIER: Final = re.compile(r"\{(\d{1,3})(?:(,)(\d{1,3})?)?\}")
_HEX: Final = re.compile(r"x([0-9A-Fa-f]{2})")
_RANGE_GOES_ON: Final = re.compile(r"-[^]]")
_ITEMS_MAX: Final = 500
_WORD: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")
_CLASSES: Final = {"d": frozenset("0123456789"), "s": frozenset(" \t\n\r\f\v"), "w": _WORD}


@dataclass(frozen=True, slots=True)
class Characters:
    """A set of characters, or all but these."""

    named: frozenset[str]
    is_negated: bool = False

    def __contains__(self, character: str) -> bool:
        return (character in self.named) != self.is_negated


@dataclass(frozen=True, slots=True)
class Item:
    """One character of what is looked for. One that repeats may also be left out."""

    characters: Characters
    is_optional: bool = False
    repeats: bool = False


@dataclass(frozen=True, slots=True)
class Course:
    """One of the alternatives of an expression."""

    items: Sequence[Item]
    from_start: bool
    to_end: bool


def read_courses(text: str, offset: int) -> list[Course]:
    """The alternatives of the expression `text`, which begins at the position `offset` of its pattern.

    Raises InvalidPattern.
    """
    return list(_Reader(text, offset).courses())


class _Reader:
    """Reads an expression."""

    def __init__(self, text: str, offset: int) -> None:
        self._text = text
        self._offset = offset
        self._position = 0
        self._count = 0

    def courses(self) -> Iterator[Course]:
        """The alternatives."""
        if not self._text:
            raise self._refuse("an empty regular expression")
        yield self._course()
        while self._take("|"):
            yield self._course()

    def _course(self) -> Course:
        from_start = self._take("^")
        items: list[Item] = []
        while self._position < len(self._text) and self._text[self._position] not in "|$":
            items += self._repeated(self._characters())
        to_end = self._take("$")
        if self._position < len(self._text) and self._text[self._position] != "|":
            raise self._refuse("'$' is only supported at the end of a regular expression")
        return Course(items, from_start, to_end)

    def _repeated(self, characters: Characters) -> list[Item]:
        least, most = self._quantity()
        optional = [Item(characters, is_optional=True)] * ((most or least) - least)
        endless = [Item(characters, is_optional=True, repeats=True)] if most is None else []
        items = [Item(characters)] * least + optional + endless
        self._count += len(items)
        if self._count > _ITEMS_MAX:
            raise self._refuse("a regular expression that is too long")
        return items

    def _quantity(self) -> tuple[int, int | None]:
        for sign, quantity in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self._take(sign):
                return quantity
        found = _QUANTIFIER.match(self._text, self._position)
        if found is None:
            return 1, 1
        least = int(found[1])
        most = least if found[2] is None else None if found[3] is None else int(found[3])
        if most is not None and most < least:
            raise self._refuse("a quantifier whose maximum is below its minimum")
        self._position = found.end()
        return least, most

    def _characters(self) -> Characters:
        if self._take("."):
            return Characters(frozenset(), is_negated=True)
        if self._take("["):
            return self._listed()
        return self._one()

    def _one(self) -> Characters:
        """A character or an escaped one."""
        character = self._next()
        if character == "\\":
            return self._escaped()
        if character in _OPERATORS:
            self._position -= 1
            raise self._refuse(f"nothing for '{character}' to apply to")
        return Characters(frozenset(character))

    def _escaped(self) -> Characters:
        found = _HEX.match(self._text, self._position)
        if found is not None:
            self._position = found.end()
            return Characters(frozenset(chr(int(found[1], 16))))
        character = self._next(is_escaped=True)
        if character.lower() in _CLASSES:
            return Characters(_CLASSES[character.lower()], is_negated=character.isupper())
        if character.isalnum():
            self._position -= 1
            raise self._refuse(f"the unsupported escape '\\{character}'")
        return Characters(frozenset(character))

    def _listed(self) -> Characters:
        """What stands in brackets, of which the first is read."""
        is_negated = self._take("^")
        named: frozenset[str] = frozenset()
        while not self._take("]"):
            low = self._member()
            if _RANGE_GOES_ON.match(self._text, self._position):
                self._position += 1
                low = self._range(low, self._member())
            named |= low
        return Characters(named, is_negated)

    def _member(self) -> frozenset[str]:
        if self._position < len(self._text) and self._text[self._position] in "^$?{}|*+.[":
            self._position += 1
            return frozenset(self._text[self._position - 1])
        member = self._one()
        if member.is_negated:
            raise self._refuse("an unsupported class in brackets")
        return member.named

    def _range(self, low: frozenset[str], high: frozenset[str]) -> frozenset[str]:
        if len(low) != 1 or len(high) != 1 or min(low) > min(high):
            raise self._refuse("a range in brackets that has no order")
        return frozenset(chr(code) for code in range(ord(min(low)), ord(min(high)) + 1))

    def _next(self, *, is_escaped: bool = False) -> str:
        if self._position >= len(self._text):
            raise self._refuse("a regular expression that is cut off")
        character = self._text[self._position]
        is_known = character.isascii() and (character.isalnum() or character in _SYMBOLS | _OPERATORS)
        if not is_known and not (is_escaped and character.isascii()):
            raise self._refuse(f"'{character}', which is not supported in a regular expression,")
        self._position += 1
        return character

    def _take(self, literal: str) -> bool:
        if not self._text.startswith(literal, self._position):
            return False
        self._position += 1
        return True

    def _refuse(self, what: str) -> InvalidPattern:
        return InvalidPattern(what, at=self._offset + self._position)

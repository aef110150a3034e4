"""A pattern's text, read from left to right. What cannot be read is refused with its place."""

from __future__ import annotations

import re
from typing import Final

from moorage.core.log_patterns.errors import InvalidPattern

REGEXES_MAX: Final = 2
_SPACE: Final = re.compile(r"\s*")
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_REGEX: Final = re.compile(r"%([^%]*)%")


class Scanner:
    """Where the reading of `text` has come to."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self._regexes = 0

    @property
    def is_at_end(self) -> bool:
        """Whether there is nothing but space left."""
        return not self.peek()

    def peek(self) -> str:
        """The next character that is no space; empty at the end."""
        self._skip_space()
        return self.text[self.position : self.position + 1]

    def take(self, literal: str) -> bool:
        """Whether `literal` comes next; if so, go on behind it."""
        self._skip_space()
        if not self.text.startswith(literal, self.position):
            return False
        self.position += len(literal)
        return True

    def expect(self, literal: str) -> None:
        """Go on behind `literal`. Raises InvalidPattern."""
        if not self.take(literal):
            raise self.refuse(f"expected '{literal}'")

    def take_match(self, kind: re.Pattern[str]) -> re.Match[str] | None:
        """What matches `kind` next; if something does, go on behind it."""
        self._skip_space()
        found = kind.match(self.text, self.position)
        if found is not None:
            self.position = found.end()
        return found

    def take_quoted(self) -> str | None:
        """The raw text of a quoted phrase, its escapes still in it, if one comes next. Raises as `expect` does."""
        if self.peek() != '"':
            return None
        found = self.take_match(_QUOTED)
        if found is None:
            raise self.refuse("the quoted phrase has no end")
        return found[1]

    def take_regex(self) -> tuple[str, int] | None:
        """The text of a regular expression, and where it begins, if one comes next. Raises as `expect` does."""
        if self.peek() != "%":
            return None
        found = self.take_match(_REGEX)
        if found is None:
            raise self.refuse("the regular expression has no closing '%'")
        self._regexes += 1
        if self._regexes > REGEXES_MAX:
            raise self.refuse(f"more than {REGEXES_MAX} regular expressions", at=found.start())
        return found[1], found.start(1)

    def refuse(self, what: str, *, at: int | None = None) -> InvalidPattern:
        """That the pattern cannot be read here, or at the position `at`."""
        return InvalidPattern(what, at=self.position if at is None else at)

    def _skip_space(self) -> None:
        space = _SPACE.match(self.text, self.position)
        if space is not None:
            self.position = space.end()


def unescape(raw: str) -> str:
    """The text of a quoted phrase."""
    return re.sub(r"\\(.)", r"\1", raw, flags=re.DOTALL)

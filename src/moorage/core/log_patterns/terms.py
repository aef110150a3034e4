"""Patterns for plain text: terms that a line has or has not, in any order.

`ERROR timeout` needs both terms, `"no such file"` the phrase, `?ERROR ?WARN` one of the two, `ERROR -retry` the first
without the second, `%ERR|WARN%` a match of the regular expression. Matching regards case. Beside terms that are needed,
`?` terms make no difference, as with AWS.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from moorage.core.log_patterns.regex import compile_regex
from moorage.core.log_patterns.scanner import Scanner, unescape

Test = Callable[[str], bool]
_SIGN: Final = re.compile(r"[?-]")
_WORD: Final = re.compile(r'[^\s"]+')


@dataclass(frozen=True, slots=True)
class Terms:
    """What a line has to have, what it must have one of, and what it must not have."""

    needed: tuple[Test, ...]
    optional: tuple[Test, ...]
    excluded: tuple[Test, ...]

    def matches(self, message: str) -> bool:
        """Whether a line is meant."""
        if any(has(message) for has in self.excluded) or not all(has(message) for has in self.needed):
            return False
        return bool(self.needed) or not self.optional or any(has(message) for has in self.optional)

    def values(self, message: str) -> Mapping[str, str]:
        """None: terms have no names."""
        return {}

    def names(self, selector: str) -> bool:
        """No, for the same reason."""
        return False

    def value(self, message: str, selector: str) -> str | None:
        """None, for the same reason."""
        return None


def parse_terms(scanner: Scanner) -> Terms:
    """The rest of a pattern as terms. Raises InvalidPattern."""
    by_sign: dict[str, list[Test]] = {"": [], "?": [], "-": []}
    while not scanner.is_at_end:
        sign = scanner.take_match(_SIGN)
        by_sign[sign[0] if sign else ""].append(_test(scanner))
    return Terms(tuple(by_sign[""]), tuple(by_sign["?"]), tuple(by_sign["-"]))


def _test(scanner: Scanner) -> Test:
    regex = scanner.take_regex()
    if regex is not None:
        return compile_regex(*regex).is_in
    phrase = scanner.take_quoted()
    if phrase is not None:
        return _contains(unescape(phrase))
    word = scanner.take_match(_WORD)
    if word is None:
        raise scanner.refuse("expected a term")
    return _contains(word[0])


def _contains(term: str) -> Test:
    return lambda message: term in message

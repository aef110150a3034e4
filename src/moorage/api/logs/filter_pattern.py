"""CloudWatch's filter patterns, the part for plain text: terms and quoted phrases. Pure.

`ERROR timeout` needs both terms, `"no such file"` the phrase, `?ERROR ?WARN` one of the two, `ERROR -retry` the first
without the second. Matching regards case. Beside terms that are needed, `?` terms make no difference, as with AWS.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from moorage.api.logs.errors import invalid

_TERM: Final = re.compile(r'\s*([?-]?)(?:"((?:[^"\\]|\\.)*)"|([^\s"]+))')
_STRUCTURED: Final = {"{": "JSON", "[": "space-delimited", "%": "regular expression"}


def parse_pattern(pattern: str) -> Callable[[str], bool]:
    """Whether a message matches. Raises InvalidParameterException."""
    text = pattern.strip()
    if text[:1] in _STRUCTURED:
        kind = _STRUCTURED[text[0]]
        raise invalid(f"Moorage does not support {kind} filter patterns yet, only terms and quoted phrases.")
    needed, optional, excluded = _terms(text)

    def matches(message: str) -> bool:
        if any(term in message for term in excluded) or not all(term in message for term in needed):
            return False
        return bool(needed) or not optional or any(term in message for term in optional)

    return matches


def _terms(text: str) -> tuple[list[str], list[str], list[str]]:
    """The needed, the optional and the excluded terms."""
    by_sign: dict[str, list[str]] = {"": [], "?": [], "-": []}
    position = 0
    while position < len(text):
        term = _TERM.match(text, position)
        if term is None:
            raise invalid("Invalid filter pattern: a quoted phrase has no end.")
        sign, phrase, word = term.groups()
        by_sign[sign].append(word if phrase is None else re.sub(r"\\(.)", r"\1", phrase))
        position = term.end()
    return by_sign[""], by_sign["?"], by_sign["-"]

"""The service models' patterns, which are Java's, as Python's.

A pattern is matched whole. One that Python cannot read, or that can be made to run for ages, is not enforced: it is
better to accept a strange name than to refuse a good one or to stop.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from typing import Final

_STAND_INS: Final = {category: chr(0xE000 + index) for index, category in enumerate("LMNPSZC")}
r"""Python has no \p{L}. Before matching, every character beyond ASCII is replaced by the stand-in of its category."""

_CLASSES: Final = {
    "ASCII": r"\x00-\x7f",
    "Alnum": "A-Za-z0-9",
    "Print": r"\x20-\x7e",
    "L": "A-Za-z" + _STAND_INS["L"],
    "M": _STAND_INS["M"],
    "N": "0-9" + _STAND_INS["N"],
    "P": r"!-#%-*,-/:;?@\[-\]_{}" + _STAND_INS["P"],
    "S": r"$+<->\^`|~" + _STAND_INS["S"],
    "Z": " " + _STAND_INS["Z"],
    "Zs": " " + _STAND_INS["Z"],
}

_EXPONENTIAL: Final = frozenset(
    {
        r"https://([.\-_a-zA-Z0-9]+/?){3,1016}",
        r"^[a-z0-9*](?:[._\-/a-z0-9*]?[a-z0-9*]+)*$",
        r"[a-z0-9]([-a-z0-9]*[a-z0-9]){0,39}?",
    }
)
"""Repeats within repeats that read one text in ever so many ways. A test looks for more of them in the models."""

_TOKEN: Final = re.compile(r"\\p\{(\w+)\}|\\.|\[\^?|\]", re.DOTALL)
_SURROGATES: Final = re.compile(r"\\u(D[89AB][0-9A-F]{2})\\u(D[C-F][0-9A-F]{2})", re.IGNORECASE)


def matches(pattern: str, text: str) -> bool:
    """Whether the model's `pattern` matches the whole of `text`; True where the pattern cannot be enforced."""
    compiled = _compile(pattern)
    if compiled is None:
        return True
    if r"\p{" in pattern and not text.isascii():
        text = "".join(char if char.isascii() else _STAND_INS[unicodedata.category(char)[0]] for char in text)
    return compiled.fullmatch(text) is not None


@functools.cache
def _compile(pattern: str) -> re.Pattern[str] | None:
    if pattern in _EXPONENTIAL:
        return None
    try:
        return re.compile(_translate(pattern), re.ASCII)
    except (re.error, KeyError):
        return None


def _translate(pattern: str) -> str:
    joined = _SURROGATES.sub(lambda pair: f"\\U{_code_point(pair[1], pair[2]):08x}", pattern)
    in_class = False

    def token(found: re.Match[str]) -> str:
        nonlocal in_class
        if found[1]:
            return _CLASSES[found[1]] if in_class else f"[{_CLASSES[found[1]]}]"
        if found[0].startswith("["):
            in_class = True
        elif found[0] == "]":
            in_class = False
        return r"\Z" if found[0] == r"\z" else found[0]

    # In a class Java takes a hyphen after \w for itself, Python for a range.
    return _TOKEN.sub(token, joined).replace(r"[\w-", r"[\w\-")


def _code_point(high: str, low: str) -> int:
    return 0x10000 + ((int(high, 16) - 0xD800) << 10) + int(low, 16) - 0xDC00

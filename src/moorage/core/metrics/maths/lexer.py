"""The words of an expression."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

from moorage.core.metrics.maths.errors import ExpressionError

Kind = Literal["number", "name", "text", "symbol", "end"]

_TOKEN: Final = re.compile(
    r"""\s*(?:
        (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
      | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
      | (?P<symbol>&&|\|\||==|!=|<=|>=|[-+*/^<>()\[\],])
    )""",
    re.VERBOSE | re.ASCII,
)


class Token(NamedTuple):
    """A word, and where it begins. A text is without its quotation marks, its escapes as they were."""

    kind: Kind
    text: str
    at: int


def tokens(expression: str) -> Iterator[Token]:
    """The tokens, of which the last is the end. Raises ExpressionError."""
    at, end = 0, len(expression.rstrip())
    while at < end:
        found = _TOKEN.match(expression, at)
        if found is None or found.lastgroup is None:
            raise ExpressionError(f"Invalid syntax at {expression[at : at + 10].strip()!r}")
        kind: Kind = found.lastgroup  # type: ignore[assignment]  # the names of the pattern's groups
        word = found[kind]
        yield Token(kind, word[1:-1] if kind == "text" else word, found.start(kind))
        at = found.end()
    yield Token("end", "the end", end)

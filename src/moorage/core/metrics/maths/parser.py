"""From the text of an expression to its program.

In order of precedence, the loosest first: OR, AND, comparisons, + and -, * and /, unary -, ^ (from the right).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Final

from moorage.core.metrics.maths.errors import ExpressionError
from moorage.core.metrics.maths.functions import FUNCTIONS
from moorage.core.metrics.maths.lexer import Token, tokens
from moorage.core.metrics.maths.program import (
    Call,
    Instruction,
    MakeArray,
    Negate,
    Number,
    Operator,
    Program,
    Reference,
    SearchCall,
    Text,
    Word,
)
from moorage.core.metrics.maths.search import parse_search
from moorage.core.metrics.resolutions import is_period
from moorage.core.metrics.statistics import UnknownStatistic, parse_statistic

EXPRESSION_LENGTH_MAX: Final = 2048
_NESTING_MAX: Final = 100

_PRECEDENCE: Final[Mapping[str, int]] = {
    **dict.fromkeys(("OR", "||"), 1),
    **dict.fromkeys(("AND", "&&"), 2),
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">="), 3),
    **dict.fromkeys(("+", "-"), 4),
    **dict.fromkeys(("*", "/"), 5),
}
_OTHER_NAMES: Final[Mapping[str, str]] = {"||": "OR", "&&": "AND"}

_UNSUPPORTED: Final = frozenset(
    {"ANOMALY_DETECTION_BAND", "DB_PERF_INSIGHTS", "INSIGHT_RULE_METRIC", "LAMBDA", "SERVICE_QUOTA"}
)
_METRICS_INSIGHTS: Final = re.compile(r"\s*SELECT\b", re.IGNORECASE)


@functools.lru_cache(maxsize=4096)
def parse(expression: str) -> Program:
    """The program of an expression. Raises ExpressionError."""
    if len(expression) > EXPRESSION_LENGTH_MAX:
        raise ExpressionError(f"An expression can have {EXPRESSION_LENGTH_MAX} characters at most")
    if _METRICS_INSIGHTS.match(expression):
        raise ExpressionError("Moorage does not support Metrics Insights queries (SELECT)")
    return _Parser(expression).parse()


class _Parser:
    def __init__(self, expression: str) -> None:
        self._tokens = list(tokens(expression))
        self._at = 0
        self._nesting = 0
        self._program: list[Instruction] = []

    def parse(self) -> Program:
        self._operation(1)
        if self._token.kind != "end":
            raise self._unexpected()
        return tuple(self._program)

    @property
    def _token(self) -> Token:
        return self._tokens[self._at]

    def _take(self) -> Token:
        token = self._token
        self._at += 1
        return token

    def _next_is(self, text: str) -> bool:
        return self._token.kind in {"symbol", "name"} and self._token.text == text

    def _expect(self, text: str) -> None:
        if not self._next_is(text):
            raise self._unexpected()
        self._at += 1

    def _unexpected(self) -> ExpressionError:
        return ExpressionError(f"Invalid syntax: unexpected {self._token.text!r} at position {self._token.at + 1}")

    def _operation(self, loosest: int) -> None:
        """Operands with whatever operators bind at least as tightly as `loosest` between them."""
        self._unary()
        while (precedence := self._precedence()) >= loosest:
            symbol = self._take().text
            self._operation(precedence + 1)
            self._program.append(Operator(_OTHER_NAMES.get(symbol, symbol)))

    def _precedence(self) -> int:
        return _PRECEDENCE.get(self._token.text, 0) if self._token.kind in {"symbol", "name"} else 0

    def _unary(self) -> None:
        self._nesting += 1
        if self._nesting > _NESTING_MAX:
            raise ExpressionError(f"An expression can be nested {_NESTING_MAX} levels deep at most")
        if self._next_is("-"):
            self._at += 1
            self._unary()
            self._program.append(Negate())
        else:
            self._power()
        self._nesting -= 1

    def _power(self) -> None:
        self._primary()
        if self._next_is("^"):
            self._at += 1
            self._unary()
            self._program.append(Operator("^"))

    def _primary(self) -> None:
        token = self._token
        match token.kind, token.text:
            case "number", text:
                self._at += 1
                self._program.append(Number(float(text)))
            case "text", text:
                self._at += 1
                self._program.append(Text(text))
            case "symbol", "(":
                self._at += 1
                self._operation(1)
                self._expect(")")
            case "symbol", "[":
                self._at += 1
                self._program.append(MakeArray(self._arguments("]")))
            case "name", name if name not in _PRECEDENCE:
                self._at += 1
                self._named(name)
            case _:
                raise self._unexpected()

    def _named(self, name: str) -> None:
        if self._next_is("("):
            self._at += 1
            self._call(name)
        elif name[0].islower():
            self._program.append(Reference(name))
        else:
            self._program.append(Word(name))

    def _call(self, name: str) -> None:
        if name in _UNSUPPORTED:
            raise ExpressionError(f"Moorage does not support the function {name}")
        if name == "SEARCH":
            self._search()
            return
        function = FUNCTIONS.get(name)
        if function is None:
            raise ExpressionError(f"Unrecognized function {name!r}")
        count = self._arguments(")")
        if not function.arguments_min <= count <= function.arguments_max:
            raise ExpressionError(f"Invalid number of arguments for {name}: {count}")
        self._program.append(Call(name, count))

    def _arguments(self, end: str) -> int:
        count = 0
        while not self._next_is(end):
            if count:
                self._expect(",")
            self._operation(1)
            count += 1
        self._at += 1
        return count

    def _search(self) -> None:
        """Its arguments are written out, so that what it finds can be read before anything is computed."""
        start = len(self._program)
        self._arguments(")")
        arguments = self._program[start:]
        del self._program[start:]
        match arguments:
            case [Text(search), Text(statistic), *period] if len(period) <= 1:
                self._program.append(SearchCall(parse_search(search), _statistic(statistic), _period(period)))
            case _:
                raise ExpressionError("SEARCH takes a search and a statistic in quotation marks, and a period")


def _statistic(name: str) -> str:
    try:
        return parse_statistic(name).name
    except UnknownStatistic as error:
        raise ExpressionError(str(error).rstrip(".")) from None


def _period(arguments: list[Instruction]) -> int | None:
    match arguments:
        case []:
            return None
        case [Number(value)] if is_period(value):
            return int(value)
        case _:
            raise ExpressionError("The period of a SEARCH is 1, 5, 10, 20, 30 or a multiple of 60")

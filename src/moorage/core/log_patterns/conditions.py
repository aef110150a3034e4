"""Conditions of JSON and of space-delimited patterns: comparisons, `&&`, `||` and parentheses."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from moorage.core.log_patterns.regex import compile_regex
from moorage.core.log_patterns.scanner import Scanner

T = TypeVar("T")
Condition = Callable[[T], bool]
Comparison = Callable[[str], bool]
"""Of the text of a value."""

_OPERATOR: Final = re.compile(r"!=|<=|>=|=|<|>")
_BARE: Final = re.compile(r"[^\s()\[\]{},&|=<>!\"%]+")
_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?")
_ORDERS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_DEPTH_MAX: Final = 50


def parse_condition(scanner: Scanner, leaf: Callable[[Scanner], Condition[T]], *, depth: int = 0) -> Condition[T]:
    """Leaves joined by `&&`, which binds more tightly, and `||`. Raises InvalidPattern."""
    either = [_parse_all(scanner, leaf, depth)]
    while scanner.take("||"):
        either.append(_parse_all(scanner, leaf, depth))
    return either[0] if len(either) == 1 else lambda subject: any(holds(subject) for holds in either)


def parse_comparison(scanner: Scanner) -> Comparison:
    """An operator and what it compares with. Raises InvalidPattern.

    A number is compared as a number, any other text as it is, where `*` stands for any characters.
    """
    found = scanner.take_match(_OPERATOR)
    if found is None:
        raise scanner.refuse("expected one of = != < > <= >=")
    if found[0] in _ORDERS:
        return _order(scanner, _ORDERS[found[0]])
    equals = _equality(scanner)
    return equals if found[0] == "=" else lambda value: not equals(value)


def parse_number(text: str) -> float | None:
    """The number that `text` is, in decimal or scientific notation."""
    return float(text) if _NUMBER.fullmatch(text) else None


def _parse_all(scanner: Scanner, leaf: Callable[[Scanner], Condition[T]], depth: int) -> Condition[T]:
    both = [_parse_one(scanner, leaf, depth)]
    while scanner.take("&&"):
        both.append(_parse_one(scanner, leaf, depth))
    return both[0] if len(both) == 1 else lambda subject: all(holds(subject) for holds in both)


def _parse_one(scanner: Scanner, leaf: Callable[[Scanner], Condition[T]], depth: int) -> Condition[T]:
    if not scanner.take("("):
        return leaf(scanner)
    if depth >= _DEPTH_MAX:
        raise scanner.refuse("too many parentheses")
    inner = parse_condition(scanner, leaf, depth=depth + 1)
    scanner.expect(")")
    return inner


def _order(scanner: Scanner, is_in_order: Callable[[float, float], bool]) -> Comparison:
    found = scanner.take_match(_BARE)
    bound = parse_number(found[0]) if found else None
    if bound is None:
        raise scanner.refuse("expected a number")

    def compare(value: str) -> bool:
        number = parse_number(value)
        return number is not None and is_in_order(number, bound)

    return compare


def _equality(scanner: Scanner) -> Comparison:
    regex = scanner.take_regex()
    if regex is not None:
        return compile_regex(*regex).is_in
    phrase = scanner.take_quoted()
    if phrase is not None:
        return _like(phrase)
    found = scanner.take_match(_BARE)
    if found is None:
        raise scanner.refuse("expected a value")
    wanted, like = parse_number(found[0]), _like(found[0])
    if wanted is None:
        return like
    return lambda value: like(value) or parse_number(value) == wanted


def _like(raw: str) -> Comparison:
    """Equality with a text that may have escapes, and asterisks for any characters. Linear in the value."""
    first, *rest = (re.sub(r"\\(.)", r"\1", part, flags=re.DOTALL) for part in re.split(r"(?<!\\)\*", raw))
    if not rest:
        return lambda value: value == first
    *middle, last = rest

    def compare(value: str) -> bool:
        if len(value) < len(first) + len(last) or not (value.startswith(first) and value.endswith(last)):
            return False
        position, end = len(first), len(value) - len(last)
        for part in middle:
            position = value.find(part, position, end)
            if position < 0:
                return False
            position += len(part)
        return True

    return compare

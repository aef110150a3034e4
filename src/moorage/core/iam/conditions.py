"""Condition blocks: the operators, and what each makes of a request's values. One table; a new operator is one row.

Source: IAM user guide, "IAM JSON policy elements: Condition operators" and "Conditions with multiple context keys or
values". An operator that is not in the table, or a value that its operator cannot read, leaves the condition unknown:
an Allow with it then allows nothing, a Deny with it denies.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from ipaddress import ip_address, ip_network
from typing import Final

from moorage.core.iam.context import Context, Truth, every, negation, some
from moorage.core.iam.patterns import Unresolved, expression, is_match

Compare = Callable[[str, str, Context], bool]
"""Whether a request's value is what the policy has. Raises ValueError, Unresolved if that cannot be told."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One key of a condition block. `qualifier` is `forallvalues`, `foranyvalue` or empty."""

    operator: str
    key: str
    values: tuple[str, ...]
    qualifier: str = ""
    if_exists: bool = False

    def holds(self, context: Context) -> Truth:
        """Whether a request of which `context` is known meets it."""
        actual = context.get(self.key)
        if actual is None:
            return None
        if self.operator == "null":
            return _is_one_of(self.values, is_absent=not actual)
        row = _OPERATORS.get(self.operator)
        if row is None:
            return None
        compare, is_negated = row
        if not actual:
            return self._holds_without(is_negated=is_negated)
        found = [some(_compare(compare, value, wanted, context) for wanted in self.values) for value in actual]
        return self._combined(found, is_negated=is_negated)

    def _holds_without(self, *, is_negated: bool) -> bool:
        if self.if_exists or self.qualifier == "forallvalues":
            return True
        return is_negated and self.qualifier != "foranyvalue"

    def _combined(self, found: list[Truth], *, is_negated: bool) -> Truth:
        """From whether each of the request's values is listed. Unqualified: one is, or for a negation none is."""
        wanted = [negation(truth) for truth in found] if is_negated else found
        if self.qualifier == "forallvalues" or (is_negated and not self.qualifier):
            return every(wanted)
        return some(wanted)


def make_condition(operator: str, key: str, values: Sequence[str]) -> Condition:
    """A condition from its operator as it is written, such as `ForAnyValue:StringLikeIfExists`."""
    qualifier, _, name = operator.lower().rpartition(":")
    if_exists = name.endswith("ifexists")
    return Condition(name.removesuffix("ifexists"), key.lower(), tuple(values), qualifier, if_exists)


def is_operator(operator: str) -> bool:
    """Whether a policy may use it."""
    made = make_condition(operator, "", ())
    if made.operator == "null":
        return not (made.qualifier or made.if_exists)
    return made.operator in _OPERATORS and made.qualifier in ("", "forallvalues", "foranyvalue")


def _is_one_of(values: tuple[str, ...], *, is_absent: bool) -> bool:
    return ("true" if is_absent else "false") in {value.lower() for value in values}


def _compare(compare: Compare, actual: str, wanted: str, context: Context) -> Truth:
    try:
        return compare(actual, wanted, context)
    except Unresolved as error:
        return False if error.is_known else None
    except (ValueError, InvalidOperation, OverflowError, OSError):
        return None


def _equal(actual: str, wanted: str, context: Context) -> bool:
    return is_match(_literally(wanted, context), actual)


def _equal_folded(actual: str, wanted: str, context: Context) -> bool:
    return is_match(f"(?i:{_literally(wanted, context)})", actual)


def _like(actual: str, wanted: str, context: Context) -> bool:
    return is_match(expression(wanted, context), actual)


def _like_arn(actual: str, wanted: str, context: Context) -> bool:
    """Each of the six parts by itself: a star does not reach over a colon but in the last."""
    parts, patterns = actual.split(":", 5), _arn_parts(wanted)
    return len(parts) == len(patterns) and all(map(is_match, [expression(p, context) for p in patterns], parts))


def _is_address(actual: str, wanted: str, _: Context) -> bool:
    return ip_address(actual) in ip_network(wanted, strict=False)


def _same_boolean(actual: str, wanted: str, _: Context) -> bool:
    return _boolean(actual) is _boolean(wanted)


def _literally(wanted: str, context: Context) -> str:
    """Stars and question marks are themselves where an operator knows no wildcards."""
    return expression(re.sub(r"(?<!\$\{)[*?]", r"${\g<0>}", wanted), context)


def _arn_parts(pattern: str) -> list[str]:
    """The parts between colons, but for those in a variable's name (`${aws:username}`)."""
    return re.split(r":(?![^{}]*\})", pattern, maxsplit=5)


def _boolean(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError(text)
    return text.lower() == "true"


def _date(text: str) -> datetime:
    """ISO 8601, or seconds since 1970."""
    if re.fullmatch(r"-?\d+(\.\d+)?", text):
        return datetime.fromtimestamp(float(text), UTC)
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _ordered(read: Callable[[str], Decimal | datetime], accepts: frozenset[int]) -> Compare:
    """A comparison that holds if the value lies below (-1), at (0) or above (1) the policy's, as `accepts` says."""

    def compare(actual: str, wanted: str, _: Context) -> bool:
        mine, theirs = read(actual), read(wanted)
        return ((mine > theirs) - (mine < theirs)) in accepts  # type: ignore[operator]

    return compare


def _table() -> Iterator[tuple[str, tuple[Compare, bool]]]:
    opposites: tuple[tuple[str, str, Compare], ...] = (
        ("stringequals", "stringnotequals", _equal),
        ("stringequalsignorecase", "stringnotequalsignorecase", _equal_folded),
        ("stringlike", "stringnotlike", _like),
        ("arnequals", "arnnotequals", _like_arn),
        ("arnlike", "arnnotlike", _like_arn),
        ("ipaddress", "notipaddress", _is_address),
        ("numericequals", "numericnotequals", _ordered(Decimal, frozenset({0}))),
        ("dateequals", "datenotequals", _ordered(_date, frozenset({0}))),
    )
    for positive, negative, compare in opposites:
        yield positive, (compare, False)
        yield negative, (compare, True)
    for name, accepts in (
        ("lessthan", {-1}),
        ("lessthanequals", {-1, 0}),
        ("greaterthan", {1}),
        ("greaterthanequals", {1, 0}),
    ):
        yield f"numeric{name}", (_ordered(Decimal, frozenset(accepts)), False)
        yield f"date{name}", (_ordered(_date, frozenset(accepts)), False)
    yield "bool", (_same_boolean, False)
    yield "binaryequals", (_equal, False)


_OPERATORS: Final = dict(_table())

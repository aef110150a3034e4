"""The rules of composite alarms: `ALARM("a") AND NOT (OK(b) OR INSUFFICIENT_DATA(c))`, read and evaluated.

NOT binds closer than AND, and AND closer than OR. Names may stand in quotes, and be ARNs. Source: CloudWatch API
reference, "PutCompositeAlarm".
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from moorage.core.alarms.model import StateValue

CHILDREN_MAX: Final = 100
ELEMENTS_MAX: Final = 500
_DEPTH_MAX: Final = 50
"""Of parentheses and NOTs: reading is recursive."""

_STATE_WORDS: Final = {
    "ALARM": StateValue.ALARM,
    "OK": StateValue.OK,
    "INSUFFICIENT_DATA": StateValue.INSUFFICIENT_DATA,
}
_TOKEN: Final = re.compile(
    r"\s*(?:(?P<state>ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*(?:\"(?P<quoted>(?:[^\"\\]|\\.)+)\"|(?P<bare>[^\s()\"]+))\s*\)"
    r"|(?P<word>AND|OR|NOT|TRUE|FALSE)(?![\w-])|(?P<parenthesis>[()]))",
    re.IGNORECASE,
)


class InvalidRule(ValueError):
    """The rule cannot be read. The message says what is wrong."""


@dataclass(frozen=True, slots=True)
class StateIs:
    """Whether an alarm is in a state."""

    value: StateValue
    alarm: str
    """A name or an ARN, as it was written."""


@dataclass(frozen=True, slots=True)
class Constant:
    """TRUE or FALSE."""

    value: bool


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite."""

    operand: Rule


@dataclass(frozen=True, slots=True)
class AllOf:
    """Operands joined by AND."""

    operands: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Operands joined by OR."""

    operands: tuple[Rule, ...]


Rule = StateIs | Constant | Not | AllOf | AnyOf


@functools.lru_cache(maxsize=1024)
def parse_rule(text: str) -> Rule:
    """Read a rule. Raises InvalidRule."""
    reader = _Reader(text)
    rule = reader.any_of(0)
    reader.expect_end()
    children = len(dict.fromkeys(alarms_of(rule)))
    if children > CHILDREN_MAX:
        raise InvalidRule(f"AlarmRule refers to {children} alarms, and may refer to {CHILDREN_MAX}")
    return rule


def alarms_of(rule: Rule) -> Iterator[str]:
    """The alarms that a rule refers to, as it does."""
    match rule:
        case StateIs(_, alarm):
            yield alarm
        case Not(operand):
            yield from alarms_of(operand)
        case AllOf(operands) | AnyOf(operands):
            for each in operands:
                yield from alarms_of(each)
        case Constant():
            return


def holds(rule: Rule, state_of: Callable[[str], StateValue | None]) -> bool:
    """Whether a rule is true; `state_of` answers None for an alarm that is gone, which is in no state."""
    match rule:
        case StateIs(value, alarm):
            return state_of(alarm) == value
        case Constant(value):
            return value
        case Not(operand):
            return not holds(operand, state_of)
        case AllOf(operands):
            return all(holds(each, state_of) for each in operands)
        case AnyOf(operands):
            return any(holds(each, state_of) for each in operands)


def name_in(reference: str) -> str:
    """The name of the alarm that a rule refers to by name or ARN."""
    return reference.split(":", 6)[-1] if reference.startswith("arn:") else reference


class _Reader:
    """Reads a rule from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text.rstrip()
        self._at = 0
        self._elements = 0
        self._next = self._scan()

    def any_of(self, depth: int) -> Rule:
        operands = [self._all_of(depth)]
        while self._take("OR"):
            operands.append(self._all_of(depth))
        return operands[0] if len(operands) == 1 else AnyOf(tuple(operands))

    def expect_end(self) -> None:
        if self._next is not None:
            raise self._unexpected()

    def _all_of(self, depth: int) -> Rule:
        operands = [self._operand(depth)]
        while self._take("AND"):
            operands.append(self._operand(depth))
        return operands[0] if len(operands) == 1 else AllOf(tuple(operands))

    def _operand(self, depth: int) -> Rule:
        if depth > _DEPTH_MAX:
            raise InvalidRule(f"AlarmRule is nested deeper than {_DEPTH_MAX}")
        if self._take("NOT"):
            return Not(self._operand(depth + 1))
        if self._take("("):
            inner = self.any_of(depth + 1)
            if not self._take(")"):
                raise self._unexpected()
            return inner
        if self._take("TRUE"):
            return Constant(True)
        if self._take("FALSE"):
            return Constant(False)
        if self._next is None or self._next["state"] is None:
            raise self._unexpected()
        found = self._next
        self._advance()
        name = re.sub(r"\\(.)", r"\1", found["quoted"]) if found["quoted"] else found["bare"]
        return StateIs(_STATE_WORDS[found["state"].upper()], name)

    def _take(self, word: str) -> bool:
        found = self._next
        if found is None or (found["word"] or found["parenthesis"] or "").upper() != word:
            return False
        self._advance()
        return True

    def _advance(self) -> None:
        found = self._next
        assert found is not None
        self._elements += 0 if (found["word"] or "").upper() in ("AND", "OR", "NOT") else 1
        if self._elements > ELEMENTS_MAX:
            raise InvalidRule(f"AlarmRule has more than {ELEMENTS_MAX} elements")
        self._at = found.end()
        self._next = self._scan()

    def _scan(self) -> re.Match[str] | None:
        found = _TOKEN.match(self._text, self._at)
        if found is None and self._at < len(self._text):
            raise self._unexpected()
        return found

    def _unexpected(self) -> InvalidRule:
        rest = self._text[self._at :].lstrip()
        where = f"at {rest[:40]!r}" if rest else "at its end"
        return InvalidRule(f"AlarmRule contains invalid syntax {where}")

"""A policy document as a value: its statements, each with what it is about and under which conditions.

`parse` takes a document that was checked when it was written, and is strict all the same: what it cannot read in full
it refuses, because half a policy is another policy.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from moorage.core.iam.conditions import Condition, make_condition
from moorage.core.iam.context import Context, Truth, every
from moorage.core.iam.patterns import expression, is_match, without_variables

_WITH_VARIABLES: Final = "2012-10-17"


class PolicyUnreadable(Exception):
    """The document is no identity policy."""


class Effect(enum.Enum):
    """What a statement that applies does."""

    ALLOW = "Allow"
    DENY = "Deny"


@dataclass(frozen=True, slots=True)
class Selection:
    """What `Action` or `Resource` lists, or everything but that (`NotAction`, `NotResource`)."""

    patterns: tuple[str, ...]
    is_exclusion: bool


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of an identity policy."""

    effect: Effect
    actions: Selection
    resources: Selection
    conditions: tuple[Condition, ...] = ()

    def applies(self, action: str, context: Context) -> Truth:
        """Whether it speaks of `action` in such a request, its resources left open."""
        if not self._has_action(action.lower()):
            return False
        return every(condition.holds(context) for condition in self.conditions)

    def _has_action(self, folded: str) -> bool:
        listed = any(is_match(expression(pattern.lower(), {}), folded) for pattern in self.actions.patterns)
        return listed is not self.actions.is_exclusion


def parse(document: Mapping[str, Any]) -> tuple[Statement, ...]:
    """The statements of a decoded document. Raises PolicyUnreadable."""
    try:
        has_variables = document.get("Version") == _WITH_VARIABLES
        return tuple(_statement(each, has_variables) for each in _as_list(document["Statement"]))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise PolicyUnreadable(f"not an identity policy: {error!r}") from error


def _statement(source: Mapping[str, Any], has_variables: bool) -> Statement:
    return Statement(
        effect=Effect(source["Effect"]),
        actions=_selection(source, "Action", has_variables=False),
        resources=_selection(source, "Resource", has_variables=has_variables),
        conditions=tuple(
            make_condition(operator, key, [_spelt(_text(value), has_variables) for value in _as_list(values)])
            for operator, keys in source.get("Condition", {}).items()
            for key, values in keys.items()
        ),
    )


def _selection(source: Mapping[str, Any], member: str, *, has_variables: bool) -> Selection:
    is_exclusion = member not in source
    listed = _as_list(source[f"Not{member}" if is_exclusion else member])
    if not all(isinstance(pattern, str) for pattern in listed):
        raise TypeError(f"{member} lists something that is no text")
    return Selection(tuple(_spelt(pattern, has_variables) for pattern in listed), is_exclusion)


def _spelt(pattern: str, has_variables: bool) -> str:
    return pattern if has_variables else without_variables(pattern)


def _text(value: Any) -> str:
    """A condition's value; JSON's booleans and numbers stand for their text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | int | float):
        raise TypeError("a condition's value is neither text, number nor boolean")
    return str(value)


def _as_list(value: Any) -> list[Any]:
    """IAM writes a list of one as the thing itself."""
    return value if isinstance(value, list) else [value]

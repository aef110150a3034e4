"""What all of a caller's policies come to for one action: a grant, and by it the decision on one resource.

Nothing is allowed that no statement allows; a statement that denies wins over all that allow. A statement of which
cannot be told whether it applies denies if it is a Deny and allows nothing if it is an Allow.
Source: IAM user guide, "Policy evaluation logic".
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from moorage.core.iam.conditions import Condition
from moorage.core.iam.context import Context, Truth, every
from moorage.core.iam.patterns import Unresolved, expression, is_match
from moorage.core.iam.policy import Effect, Statement

TARGET_CONTAINER: Final = "sagemaker:targetcontainerhostname"
TARGET_MODEL: Final = "sagemaker:targetmodel"

_EVERYTHING: Final = ".*"
_OF_THE_REQUEST: Final = frozenset({TARGET_CONTAINER, TARGET_MODEL})
"""Condition keys of which a grant leaves open what they are, until there is a request to ask."""
_NOTHING_KNOWN: Final[Context] = {}


class Decision(enum.Enum):
    """Whether a call is allowed; the value is the reason, in AWS's words for a refusal."""

    ALLOWED = "because an identity-based policy allows the {action} action"
    NOT_ALLOWED = "because no identity-based policy allows the {action} action"
    DENIED = "with an explicit deny in an identity-based policy"


@dataclass(frozen=True, slots=True)
class Proviso:
    """A statement that depends on what the request asks for; all else about it is decided, and it applies."""

    effect: Effect
    resources: str
    conditions: tuple[Condition, ...]

    def applies(self, arn: str, request: Context) -> Truth:
        """Whether it speaks of such a request for the resource `arn`."""
        return is_match(self.resources, arn) and every(condition.holds(request) for condition in self.conditions)


@dataclass(frozen=True, slots=True)
class Grant:
    """On which resources one action is allowed: regular expressions over their ARNs. What is denied is not allowed."""

    allowed: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()
    provisos: tuple[Proviso, ...] = ()

    def decide(self, arn: str, request: Context = _NOTHING_KNOWN) -> Decision:
        """The decision on the resource `arn`, which is `*` for an action on none in particular.

        `request` has what the request asks for. What it does not have is unknown, and not in the caller's favour.
        """
        if any(is_match(each, arn) for each in self.denied):
            return Decision.DENIED
        found = [(proviso.effect, proviso.applies(arn, request)) for proviso in self.provisos]
        if any(effect is Effect.DENY and applies is not False for effect, applies in found):
            return Decision.DENIED
        if any(is_match(each, arn) for each in self.allowed) or (Effect.ALLOW, True) in found:
            return Decision.ALLOWED
        return Decision.NOT_ALLOWED


EVERYTHING: Final = Grant(allowed=(_EVERYTHING,))
NOTHING: Final = Grant()


def grant(statements: Iterable[Statement], action: str, context: Context) -> Grant:
    """What `statements` come to for `action` in requests of which `context` is known."""
    allowed: list[str] = []
    denied: list[str] = []
    provisos: list[Proviso] = []
    for statement in statements:
        applies = statement.applies(action, context)
        if applies is False:
            continue
        is_deny = statement.effect is Effect.DENY
        covered = _covered(statement, context, if_unknown=is_deny)
        if applies is None and (conditions := _of_the_request(statement, context)):
            provisos.append(Proviso(statement.effect, covered, conditions))
        elif is_deny:
            denied.append(covered)
        elif applies:
            allowed.append(covered)
    return Grant(tuple(allowed), tuple(denied), tuple(provisos))


def refusal(decision: Decision, *, principal_arn: str, action: str, resource: str) -> str:
    """What a caller is told who is not allowed to do something."""
    reason = decision.value.format(action=action)
    return f"User: {principal_arn} is not authorized to perform: {action} on resource: {resource} {reason}"


def _of_the_request(statement: Statement, context: Context) -> tuple[Condition, ...]:
    """The conditions that leave it open whether the statement applies, if all of them are about the request."""
    unknown = tuple(condition for condition in statement.conditions if condition.holds(context) is None)
    return unknown if all(condition.key in _OF_THE_REQUEST for condition in unknown) else ()


def _covered(statement: Statement, context: Context, *, if_unknown: bool) -> str:
    """The resources of a statement as one expression. `if_unknown` says whether it covers those that cannot be told."""
    is_exclusion = statement.resources.is_exclusion
    listed = [
        _listed(pattern, context, if_unknown=if_unknown != is_exclusion) for pattern in statement.resources.patterns
    ]
    alternatives = "|".join(each for each in listed if each is not None)
    if is_exclusion:
        return rf"(?!(?:{alternatives})\Z).*" if alternatives else _EVERYTHING
    return f"(?:{alternatives})" if alternatives else "(?!)"


def _listed(pattern: str, context: Context, *, if_unknown: bool) -> str | None:
    """What a pattern lists; None for nothing, as with a variable that the request has no value for."""
    try:
        return expression(pattern, context)
    except Unresolved as error:
        return _EVERYTHING if if_unknown and not error.is_known else None

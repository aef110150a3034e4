"""What is known of a request when a policy is evaluated, and the three answers a question about it can have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

Context = Mapping[str, tuple[str, ...]]
"""Values of condition keys, by the key in lower case.

An empty tuple says that the request does not have the key. A key that is not in the mapping is one that nobody here can
tell: what depends on it is unknown, and never taken in the caller's favour.
"""

Truth = bool | None
"""Whether something holds; None if that cannot be told."""


def every(truths: Iterable[Truth]) -> Truth:
    """Whether all hold. One that does not settles it, whatever is unknown of the others."""
    answer: Truth = True
    for truth in truths:
        if truth is False:
            return False
        if truth is None:
            answer = None
    return answer


def some(truths: Iterable[Truth]) -> Truth:
    """Whether any holds. One that does settles it."""
    return negation(every(negation(truth) for truth in truths))


def negation(truth: Truth) -> Truth:
    """What cannot be told cannot be told the other way round either."""
    return None if truth is None else not truth

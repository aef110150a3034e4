"""Whether a script's `predict_fn` may be given the rows of several requests at once: tried on the first requests.

Nothing about a user's function says that it treats each row for itself; one that subtracts the mean of its input does
not. So the first requests are predicted alone and then once more together, and only if each gets the same both times
are requests batched.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

from moorage.runtime.failures import attempt
from moorage.runtime.failures import say as sentence_of
from moorage.runtime.frameworks.base import Say
from moorage.runtime.script import Hooks
from moorage.runtime.stacking import NotRows, join, kind, rows, split

SAMPLES: Final = 3
"""Requests that differ from each other; equal ones could not be told apart if they were mixed."""
_ROWS_MAX: Final = 1_000
_RELATIVE_TOLERANCE: Final = 1e-5
"""Sums of more rows may be taken in another order: what that makes of a float32."""


def trial_of(hooks: Hooks, native: Any, say: Say) -> Trial | None:
    """A trial of the script's `predict_fn`, if it has one that could be batched; else that is said."""
    predict_fn = hooks.predict_fn
    if hooks.transform_fn is not None:
        say("requests are not batched: a transform_fn leaves no step in which they could be together")
    elif predict_fn is None:
        return None
    elif predict_fn.takes_context:
        say("requests are not batched: predict_fn takes the context, which is that of one request")
    elif any(hook.is_async for hook in hooks.of_requests):
        say("requests are not batched: one of the script's hooks is asynchronous")
    else:
        return Trial(lambda data: predict_fn(data, native, context=None), say)
    return None


class Trial:
    """Collects samples until there is a verdict. `predict` is the script's function of data alone."""

    def __init__(self, predict: Callable[[Any], Any], say: Say) -> None:
        self._predict = predict
        self._say = say
        self._samples: list[tuple[Any, Any]] = []

    def note(self, data: Any, prediction: Any) -> bool | None:
        """Take one request's data, and what it was answered alone. Whether to batch, once that is known."""
        of = kind(data)
        if of is None:
            return self._judge(f"its data, of type {type(data).__name__}, has no rows that could be joined")
        if rows(data) > _ROWS_MAX or any(kind(seen) != of or is_same(data, seen) for seen, _ in self._samples):
            return None
        self._samples.append((data, prediction))
        return self._judge(self._find_objection()) if len(self._samples) == SAMPLES else None

    def _judge(self, objection: str | None) -> bool:
        if objection is None:
            self._say("requests are batched from now on: predict_fn answered some together as it had each alone")
        else:
            self._say(f"requests are not batched, for this is what predict_fn does: {objection}")
        return objection is None

    def _find_objection(self) -> str | None:
        parts = [data for data, _ in self._samples]
        together = attempt(self._predict, join(parts))
        if isinstance(together, Exception):
            return f"it fails for several requests together: {sentence_of(together)}"
        try:
            answers = split(together, [rows(part) for part in parts])
        except NotRows as error:
            return str(error)
        if all(is_same(alone, answer) for (_, alone), answer in zip(self._samples, answers, strict=True)):
            return None
        return "it answers a request differently when there are others with it"


def is_same(one: Any, other: Any) -> bool:
    """Whether two predictions, or parts of such, are equal but for rounding."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(is_same(part, other[name]) for name, part in one.items())
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(is_same, one, other))
    if isinstance(one, float):
        return math.isclose(one, other, rel_tol=_RELATIVE_TOLERANCE) or (math.isnan(one) and math.isnan(other))
    if hasattr(one, "__array__"):
        return _is_same_array(one, other)
    return bool(one == other)


def _is_same_array(one: Any, other: Any) -> bool:
    import numpy as np

    one, other = np.asarray(one), np.asarray(other)
    if one.shape != other.shape or one.dtype != other.dtype:
        return False
    if one.dtype.kind in "fc":
        return bool(np.allclose(one, other, rtol=_RELATIVE_TOLERANCE, equal_nan=True))
    return bool(np.array_equal(one, other))

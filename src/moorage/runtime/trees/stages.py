"""What stands before an ensemble in a pipeline, and around it in a search for parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

Prepare = Callable[[Any], Any]
"""From a request's data to what the ensemble is given."""

_SEARCHES: Final = frozenset({"GridSearchCV", "RandomizedSearchCV", "HalvingGridSearchCV", "HalvingRandomSearchCV"})


def take_apart(native: Any) -> tuple[Prepare | None, Any]:
    """The estimator that has the last word in `native`, and what comes before it, if anything does.

    A pipeline transforms step by step and has its last step predict; a search has the best estimator it found predict.
    """
    name = _own_name(native)
    if name in _SEARCHES and hasattr(native, "best_estimator_"):
        before, last = take_apart(native.best_estimator_)
        return before or _as_it_is, last
    if name != "Pipeline" or len(native.steps) < 2:
        return None, native
    before, last = take_apart(native.steps[-1][1])
    first = native[:-1].transform
    return (first if before is None else _both(first, before)), last


def _own_name(native: Any) -> str | None:
    """The class's name if it is scikit-learn's own: a subclass of the user's may predict otherwise."""
    return type(native).__name__ if type(native).__module__.partition(".")[0] == "sklearn" else None


def _as_it_is(data: Any) -> Any:
    return data


def _both(first: Prepare, second: Prepare) -> Prepare:
    return lambda data: second(first(data))

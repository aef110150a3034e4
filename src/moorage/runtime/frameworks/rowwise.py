"""Whether a model answers every row for itself, so that the rows of several requests may be predicted at once.

Nothing in a model's file says so: a first dimension may be time, or a layer may normalise across rows. So a few rows
are asked for together and one by one, before the first request.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from moorage.runtime.failures import say as in_words
from moorage.runtime.frameworks.base import Model, Say

Feed = Mapping[str, np.ndarray[Any, Any]]
"""Input arrays by name, rows first."""
Ask = Callable[[Feed], Sequence[Any]]
"""The model's outputs for a feed: arrays or lists, rows first if it answers by rows."""

QUICK_S: Final = 50e-6
"""What it costs to hand a request to another thread and to take the answer back."""
_RELATIVE_TOLERANCE: Final = 1e-3
"""Sums in float32 differ by their order, which may differ by the number of rows."""
_ABSOLUTE_TOLERANCE: Final = 1e-4
_TIMINGS: Final = 3


@dataclass(frozen=True, slots=True)
class Trial:
    """What came out. `objection` says why rows may not be predicted together; `row_s` is what one row takes."""

    objection: str | None
    row_s: float

    @property
    def is_quick(self) -> bool:
        """Whether another thread is not worth its price."""
        return self.row_s < QUICK_S


def try_rows(ask: Ask, feed: Feed) -> Trial:
    """Ask for the rows of `feed` together and alone."""
    count = len(next(iter(feed.values())))
    alone = [{name: array[row : row + 1] for name, array in feed.items()} for row in range(count)]
    try:
        together = ask(feed)
        answers = [ask(row) for row in alone]
    except Exception as error:
        return Trial(f"a trial with {count} rows failed: {in_words(error)}", row_s=float("inf"))
    return Trial(_objection(together, answers), row_s=min(_duration(ask, alone[0]) for _ in range(_TIMINGS)))


def settle(model: Model, trial: Trial, say: Say) -> None:
    """Let the trial decide how the model is asked, and say what speaks against asking for rows together."""
    model.quick = trial.is_quick
    model.batches = trial.objection is None
    if trial.objection is not None:
        say(f"requests are not predicted together: {trial.objection}")


def _objection(together: Sequence[Any], answers: Sequence[Sequence[Any]]) -> str | None:
    for number, output in enumerate(together):
        rows = [answer[number] for answer in answers]
        if np.ndim(output) == 0 or len(output) != len(rows) or any(np.ndim(row) == 0 or len(row) != 1 for row in rows):
            return f"a trial with {len(rows)} rows was not answered by {len(rows)} rows"
        if not all(_is_close(output[place], row[0]) for place, row in enumerate(rows)):
            return f"a trial with {len(rows)} rows was answered otherwise than the same rows one by one"
    return None


def _is_close(one: Any, other: Any) -> bool:
    if isinstance(one, Mapping):
        return one.keys() == other.keys() and all(_is_close(one[key], other[key]) for key in one)
    first, second = np.asarray(one), np.asarray(other)
    if first.shape != second.shape:
        return False
    if first.dtype.kind != "f":
        return bool(np.array_equal(first, second))
    return np.allclose(first, second, rtol=_RELATIVE_TOLERANCE, atol=_ABSOLUTE_TOLERANCE, equal_nan=True)


def _duration(ask: Ask, feed: Feed) -> float:
    began = time.perf_counter()
    ask(feed)
    return time.perf_counter() - began

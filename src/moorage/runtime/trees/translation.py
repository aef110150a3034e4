"""How one tree ensemble is run by treelite: what its rows go through, and how its scores become answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from moorage.runtime.trees.gtil import Array

Reading = Callable[[Array], Array]
"""Scores as (rows, targets, classes) to answers, rows first."""


class Scores(Protocol):
    """What makes scores of rows: `gtil.Scorer`, or a framework's own engine without what is around it."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the rows."""
        ...

    @property
    def features(self) -> int:
        """Columns of the rows."""
        ...

    def __call__(self, rows: Array) -> Array:
        """Scores as (rows, targets, classes) for C-contiguous rows."""
        ...


class NotCompiled(Exception):
    """The framework itself serves; the message says why, as the rest of a sentence."""


@dataclass(frozen=True, slots=True)
class Translation:
    """A model as treelite runs it."""

    scorer: Scores
    model: Any
    """The `treelite.Model` of its trees."""
    narrows: bool
    """Whether the framework rounds rows to float32 before anything else."""
    takes_missing: bool
    """Whether NaN is a value to the model."""
    predictions: Reading
    probabilities: Reading | None = None
    tolerance: float = 0.0
    """The largest difference to the framework's answers, relative to numbers above 1, that its arithmetic allows."""
    averaged: Sequence[Any] | None = None
    """scikit-learn's trees, if scores are the means of what they say."""
    rows_max: int = 1024
    """From how many rows at once the framework is quicker."""

    def rows_of(self, data: Any) -> Array | None:
        """`data` as the scorer takes it; None for whatever the framework might see differently, or refuse."""
        if type(data) is not np.ndarray or data.ndim != 2 or data.dtype.kind not in "fiu":
            return None
        if data.shape[1] != self.scorer.features or not len(data):
            return None
        with np.errstate(over="ignore", invalid="ignore"):
            rows = data.astype(np.float32) if self.narrows else data
            rows = np.ascontiguousarray(rows, self.scorer.dtype)
            finite = np.isfinite(rows.sum())  # one pass; a sum that overflows is looked at again, by the framework
        return rows if finite or (self.takes_missing and not np.isinf(rows).any()) else None

    def answers(self, rows: Array, *, detailed: bool) -> Any:
        """What the model says of such rows, as `base.Model.predict` has it."""
        scores = self.scorer(rows)
        predictions = self.predictions(scores)
        if not detailed:
            return predictions
        if self.probabilities is None:
            return {"predictions": predictions}
        return {"predictions": predictions, "probabilities": self.probabilities(scores)}

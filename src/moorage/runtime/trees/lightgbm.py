"""Estimators of LightGBM, answered by their own booster: it takes 20 µs for a row, and what is around it 300.

treelite takes as long as the booster does for one row and ten times as long for many, so it only tells the thresholds.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from moorage.runtime.trees.gtil import Array
from moorage.runtime.trees.translation import NotCompiled, Reading, Translation

CLASSIFIERS: Final = frozenset({"LGBMClassifier"})
REGRESSORS: Final = frozenset({"LGBMRegressor", "LGBMRanker"})
_ROWS_MAX: Final = 10_000
_PROBABILITIES: Final = frozenset({"binary", "multiclass", "multiclassova", "cross_entropy"})


class BoosterScorer:
    """The scores of rows by a LightGBM Booster: see `gtil.Scorer`."""

    dtype: Final = np.dtype(np.float64)

    def __init__(self, booster: Any, threads: int) -> None:
        self._booster = booster
        self._threads = threads
        self.features: int = booster.num_feature()

    def __call__(self, rows: Array) -> Array:
        """Scores as (rows, targets, classes)."""
        scores = self._booster.predict(rows, num_threads=self._threads)
        return np.asarray(scores).reshape(len(rows), 1, -1)


def translate_classifier(model: Any) -> Translation:
    """The class with the largest probability, as LGBMClassifier decides."""
    if model.objective_ not in _PROBABILITIES:
        raise NotCompiled(f"its objective is {model.objective_}")
    classes = model.classes_

    def probabilities(scores: Array) -> Array:
        found = scores[:, 0, :]
        return found if found.shape[1] > 1 else np.hstack((1.0 - found, found))

    def predictions(scores: Array) -> Array:
        found: Array = classes[np.argmax(probabilities(scores), axis=1)]
        return found

    return _translate(model, predictions, probabilities)


def translate_regressor(model: Any) -> Translation:
    """What the booster says."""
    return _translate(model, lambda scores: scores[:, 0, 0])


def _translate(model: Any, predictions: Reading, probabilities: Reading | None = None) -> Translation:
    import treelite.frontend

    booster = model.booster_
    return Translation(
        BoosterScorer(booster, model.n_jobs),
        treelite.frontend.from_lightgbm(booster),
        narrows=False,
        takes_missing=True,
        predictions=predictions,
        probabilities=probabilities,
        rows_max=_ROWS_MAX,
    )

"""Forests of scikit-learn: averages of trees. Bit-equal, once rows are rounded to float32 as its trees do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from moorage.runtime.trees.gtil import Array, Scorer
from moorage.runtime.trees.importing import import_trees
from moorage.runtime.trees.translation import NotCompiled, Reading, Translation

CLASSIFIERS: Final = frozenset({"RandomForestClassifier", "ExtraTreesClassifier"})
REGRESSORS: Final = frozenset({"RandomForestRegressor", "ExtraTreesRegressor"})


def translate_classifier(forest: Any) -> Translation:
    """A forest that votes: the mean of its trees' probabilities, and the class with the largest."""
    if forest.n_outputs_ != 1:
        raise NotCompiled("it predicts several outputs")

    def probabilities(scores: Array) -> Array:
        return scores[:, 0, :]

    def predictions(scores: Array) -> Array:
        winners: Array = forest.classes_.take(np.argmax(scores[:, 0, :], axis=1), axis=0)
        return winners

    return _translation(forest, predictions, probabilities)


def translate_regressor(forest: Any) -> Translation:
    """A forest that averages numbers."""

    def predictions(scores: Array) -> Array:
        return scores[:, 0, 0] if forest.n_outputs_ == 1 else scores[:, :, 0]

    return _translation(forest, predictions)


def _translation(forest: Any, predictions: Reading, probabilities: Reading | None = None) -> Translation:
    model, trees = import_trees(forest)
    return Translation(
        Scorer(model, raw=False),
        model,
        narrows=True,
        takes_missing=_takes_missing(forest),
        predictions=predictions,
        probabilities=probabilities,
        averaged=trees,
    )


def _takes_missing(forest: Any) -> bool:
    """As `BaseForest._validate_X_predict` decides. Before 1.4 no forest took NaN."""
    decide: Callable[[Array], bool] | None = getattr(forest.estimators_[0], "_support_missing_values", None)
    return decide is not None and bool(decide(np.zeros((1, 1), np.float32)))

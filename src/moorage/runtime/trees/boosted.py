"""Gradient boosting of scikit-learn: sums of trees from a first guess, then a link.

The sums are the same to the last bit once they begin with the guess (`guess`). The links are taken from the functions
that scikit-learn takes, since treelite's sigmoid and softmax are of float32.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from moorage.runtime.trees.gtil import Array, Scorer
from moorage.runtime.trees.guess import begin_with_guess
from moorage.runtime.trees.translation import NotCompiled, Reading, Translation

CLASSIFIERS: Final = frozenset({"GradientBoostingClassifier", "HistGradientBoostingClassifier"})
REGRESSORS: Final = frozenset({"GradientBoostingRegressor", "HistGradientBoostingRegressor"})
_EXPONENTIAL_LOSSES: Final = frozenset({"poisson", "gamma"})


def translate_classifier(booster: Any) -> Translation:
    """Classes by the log loss; others have links that are not here."""
    if booster.loss != "log_loss":
        raise NotCompiled(f"its loss is {booster.loss}")
    binary = len(booster.classes_) == 2
    is_second = np.greater if _is_histogram(booster) else np.greater_equal  # what each does with a tie

    def predictions(scores: Array) -> Array:
        sums = scores[:, 0, :]
        winners = is_second(sums[:, 0], 0.0).astype(int) if binary else np.argmax(sums, axis=1)
        found: Array = booster.classes_[winners]
        return found

    return _translation(booster, predictions, _sigmoid if binary else _softmax)


def translate_regressor(booster: Any) -> Translation:
    """Numbers; those of counts and amounts are logarithms until the end."""
    exponential = _is_histogram(booster) and booster.loss in _EXPONENTIAL_LOSSES

    def predictions(scores: Array) -> Array:
        sums = scores[:, 0, 0]
        return np.exp(sums) if exponential else sums

    return _translation(booster, predictions)


def _translation(booster: Any, predictions: Reading, probabilities: Reading | None = None) -> Translation:
    import treelite.sklearn

    model = treelite.sklearn.import_model(booster)
    begin_with_guess(model)
    histogram = _is_histogram(booster)
    return Translation(
        Scorer(model, raw=True),
        model,
        narrows=not histogram,
        takes_missing=histogram,
        predictions=predictions,
        probabilities=probabilities,
    )


def _is_histogram(booster: Any) -> bool:
    return type(booster).__name__.startswith("Hist")


def _sigmoid(scores: Array) -> Array:
    from scipy.special import expit

    probabilities = np.empty((len(scores), 2))
    probabilities[:, 1] = expit(scores[:, 0, 0])
    probabilities[:, 0] = 1 - probabilities[:, 1]
    return probabilities


def _softmax(scores: Array) -> Array:
    from sklearn.utils.extmath import softmax

    probabilities: Array = softmax(scores[:, 0, :])
    return probabilities

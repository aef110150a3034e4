"""Gradient boosting of scikit-learn: sums of trees from a first guess, then a link.

The sums are the same to the last bit once they begin with the guess (`guess`). The link is the model's own, since
treelite's sigmoid and softmax are of float32.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from moorage.runtime.trees.gtil import Array, Scorer
from moorage.runtime.trees.guess import begin_with_guess
from moorage.runtime.trees.importing import import_histograms, import_trees
from moorage.runtime.trees.translation import NotCompiled, Reading, Translation

CLASSIFIERS: Final = frozenset({"GradientBoostingClassifier", "HistGradientBoostingClassifier"})
REGRESSORS: Final = frozenset({"GradientBoostingRegressor", "HistGradientBoostingRegressor"})
_EXPONENTIAL_LOSSES: Final = frozenset({"poisson", "gamma"})


def translate_classifier(booster: Any) -> Translation:
    """Classes, by the sums themselves, and their probabilities."""
    binary = len(booster.classes_) == 2
    is_second = np.greater if _is_histogram(booster) else np.greater_equal  # what each does with a tie

    def predictions(scores: Array) -> Array:
        sums = scores[:, 0, :]
        winners = is_second(sums[:, 0], 0.0).astype(int) if binary else np.argmax(sums, axis=1)
        found: Array = booster.classes_[winners]
        return found

    return _translation(booster, predictions, _chances(booster))


def translate_regressor(booster: Any) -> Translation:
    """Numbers; those of counts and amounts are logarithms until the end."""
    exponential = _is_histogram(booster) and booster.loss in _EXPONENTIAL_LOSSES

    def predictions(scores: Array) -> Array:
        sums = scores[:, 0, 0]
        return np.exp(sums) if exponential else sums

    return _translation(booster, predictions)


def _translation(booster: Any, predictions: Reading, probabilities: Reading | None = None) -> Translation:
    histogram = _is_histogram(booster)
    if histogram and np.any(booster.is_categorical_):  # which it may put before all others
        raise NotCompiled("it has categorical features")
    model = import_histograms(booster) if histogram else import_trees(booster)[0]
    begin_with_guess(model)
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


def _chances(booster: Any) -> Reading:
    """From sums to probabilities, by the loss that the model was fitted with."""
    loss = booster._loss if hasattr(booster, "_loss") else booster.loss_  # the latter before 1.1
    link = getattr(loss, "predict_proba", None) or loss._raw_prediction_to_proba  # the latter before 1.4

    def probabilities(scores: Array) -> Array:
        found: Array = link(scores[:, 0, :])
        return found

    return probabilities

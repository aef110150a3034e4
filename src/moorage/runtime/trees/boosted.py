"""Gradient boosting of scikit-learn: sums of trees from a first guess, then a link.

scikit-learn begins its sums with the first guess, treelite ends with it: floating-point sums differ by that. With the
guess in the leaves of the first trees they are the same sums, to the last bit. The links are taken from scikit-learn's
own functions, since treelite's sigmoid and softmax are of float32.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from moorage.runtime.trees.gtil import Array, Scorer
from moorage.runtime.trees.translation import NotCompiled, Translation

CLASSIFIERS: Final = frozenset({"GradientBoostingClassifier", "HistGradientBoostingClassifier"})
REGRESSORS: Final = frozenset({"GradientBoostingRegressor", "HistGradientBoostingRegressor"})
_EXPONENTIAL_LOSSES: Final = frozenset({"poisson", "gamma"})


def translate_classifier(booster: Any, model: Any) -> Translation:
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

    return _translation(booster, model, predictions, _sigmoid if binary else _softmax)


def translate_regressor(booster: Any, model: Any) -> Translation:
    """Numbers; those of counts and amounts are logarithms until the end."""
    exponential = _is_histogram(booster) and booster.loss in _EXPONENTIAL_LOSSES

    def predictions(scores: Array) -> Array:
        sums = scores[:, 0, 0]
        return np.exp(sums) if exponential else sums

    return _translation(booster, model, predictions)


def begin_with_guess(model: Any) -> None:
    """Move the first guesses from the end of `model`'s sums to their beginning: into the first tree of each class."""
    header = model.get_header_accessor()
    guesses = header.get_field("base_scores").copy()
    waiting = dict(enumerate(guesses.tolist()))
    for index, kind in enumerate(header.get_field("class_id").tolist()):
        guess = waiting.pop(max(kind, 0), None)
        if guess is None:
            continue
        tree = model.get_tree_accessor(index)
        leaves = tree.get_field("leaf_value").copy()
        tree.set_field("leaf_value", leaves + leaves.dtype.type(guess))
    header.set_field("base_scores", np.zeros_like(guesses))


def _translation(
    booster: Any,
    model: Any,
    predictions: Callable[[Array], Array],
    probabilities: Callable[[Array], Array] | None = None,
) -> Translation:
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

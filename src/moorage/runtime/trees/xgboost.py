"""Models of XGBoost: sums in float32 from a first guess, then the objective's transformation.

Rows are of float32 to both XGBoost and treelite, and NaN is a value that every tree knows what to do with. The sums are
the same to the last bit once they begin with the guess (`guess`).
"""

from __future__ import annotations

import json
import math
from typing import Any, Final

import numpy as np

from moorage.runtime.trees.gtil import Array, Scorer
from moorage.runtime.trees.guess import begin_with_guess
from moorage.runtime.trees.translation import NotCompiled, Reading, Translation

BOOSTERS: Final = frozenset({"Booster"})
CLASSIFIERS: Final = frozenset({"XGBClassifier", "XGBRFClassifier"})
REGRESSORS: Final = frozenset({"XGBRegressor", "XGBRFRegressor", "XGBRanker"})

_TOLERANCE: Final = 1e-6
"""Sixteen steps of float32 below 1. Only DART needs it, whose trees have weights; all else is equal.

XGBoost promises no more itself: "Slightly different result between runs: this could happen, due to non-determinism in
floating point summation order and multi-threading" (xgboost.readthedocs.io, FAQ).
"""
_ROWS_MAX: Final = 32
"""XGBoost takes 250 µs for any request and 1 µs for each row, treelite 8 µs for each row."""
_LOGISTIC: Final = frozenset({"binary:logistic", "reg:logistic"})
_SOFTMAX: Final = "multi:softmax"


def translate_booster(booster: Any) -> Translation:
    """What `Booster.predict` answers, with as many rounds as early stopping found best."""
    return _translate(booster, _flat)


def translate_classifier(model: Any) -> Translation:
    """What an XGBClassifier makes of that: the class, and the probabilities of all."""
    _need_usual(model)
    if model.objective not in {"binary:logistic", "multi:softprob"}:
        raise NotCompiled(f"its objective is {model.objective}")

    def predictions(scores: Array) -> Array:
        found = _flat(scores)
        return (found > 0.5).astype(int) if found.ndim == 1 else np.argmax(found, axis=1)

    def probabilities(scores: Array) -> Array:
        found = _flat(scores)
        return found if found.ndim == 2 else np.vstack((1.0 - found, found)).transpose()

    return _translate(model.get_booster(), predictions, probabilities)


def translate_regressor(model: Any) -> Translation:
    """What an XGBRegressor or XGBRanker answers, which is what its booster does."""
    _need_usual(model)
    return _translate(model.get_booster(), _flat)


def best_rounds(booster: Any) -> tuple[int, int]:
    """The range of rounds to predict with; (0, 0) means all."""
    best = booster.attr("best_iteration")
    return (0, 0) if best is None else (0, int(best) + 1)


def _need_usual(model: Any) -> None:
    if model.missing is not None and not math.isnan(model.missing):
        raise NotCompiled(f"its missing value is {model.missing}")


def _translate(booster: Any, predictions: Reading, probabilities: Reading | None = None) -> Translation:
    import treelite.frontend

    if "c" in (booster.feature_types or ()):
        raise NotCompiled("it has categorical features")
    learner = json.loads(booster.save_config())["learner"]
    if learner["gradient_booster"]["name"] == "gblinear":
        raise NotCompiled("it has no trees, its booster is gblinear")
    labels = learner["objective"]["name"] == _SOFTMAX
    begin, end = best_rounds(booster)
    model = treelite.frontend.from_xgboost(booster[begin:end] if end else booster)
    begin_with_guess(model, _margins(learner))
    return Translation(
        Scorer(model, raw=labels),
        model,
        narrows=True,
        takes_missing=True,
        predictions=_labels if labels else predictions,
        probabilities=probabilities,
        tolerance=_TOLERANCE if learner["gradient_booster"]["name"] == "dart" else 0.0,
        rows_max=_ROWS_MAX,
    )


def _margins(learner: Any) -> Array | None:
    """The first guesses as XGBoost's own arithmetic makes margins of them, where treelite's differs."""
    if learner["objective"]["name"] not in _LOGISTIC:
        return None
    chances = np.array(json.loads(f"[{learner['learner_model_param']['base_score'].strip('[]')}]"), np.float32)
    odds = np.float32(1) / chances - np.float32(1)
    return np.array([np.float32(-math.log(value)) for value in odds])


def _flat(scores: Array) -> Array:
    """One number a row, or one for each class, or for each target."""
    if scores.shape[1:] == (1, 1):
        return scores[:, 0, 0]
    return scores[:, 0, :] if scores.shape[1] == 1 else scores[:, :, 0]


def _labels(scores: Array) -> Array:
    labels: Array = np.argmax(scores[:, 0, :], axis=1).astype(np.float32)
    return labels

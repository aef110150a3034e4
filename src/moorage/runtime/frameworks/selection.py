"""`SAGEMAKER_INFERENCE_OUTPUT`: what to say of each row, for XGBoost's built-in objectives.

`predicted_label, probabilities` gives `{"predicted_label": 1, "probabilities": [0.2, 0.8]}` for a row. Names,
objectives and meanings are those of aws/sagemaker-xgboost-container, algorithm_mode/serve_utils.py: a name that the
objective has nothing for is answered with NaN.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from moorage.runtime.failures import ModelUnusable

VARIABLE: Final = "SAGEMAKER_INFERENCE_OUTPUT"

_SCORE: Final = frozenset({"predicted_score"})
_LABEL: Final = frozenset({"predicted_label", "labels", "raw_score", "raw_scores"})
_CHANCE: Final = frozenset({"probability", "probabilities"})
_NAMES: Final = {
    "reg:squarederror": _SCORE,
    "reg:logistic": _SCORE,
    "reg:gamma": _SCORE,
    "reg:tweedie": _SCORE,
    "binary:logistic": _LABEL | _CHANCE,
    "binary:logitraw": _LABEL,
    "binary:hinge": _LABEL,
    "multi:softmax": _LABEL,
    "multi:softprob": _LABEL | _CHANCE,
}
_KNOWN: Final = _SCORE | _LABEL | _CHANCE
_THRESHOLDS: Final = {"binary:logistic": 0.5, "binary:logitraw": 0.0}


@dataclass(frozen=True, slots=True)
class Selection:
    """The names asked for, in order, of a model with `objective` and `classes` classes."""

    names: tuple[str, ...]
    objective: str
    classes: int

    @property
    def impossible(self) -> frozenset[str]:
        """The names that the objective has nothing for."""
        return frozenset(self.names) - _NAMES[self.objective]

    def of_rows(self, predictions: Sequence[Any]) -> list[dict[str, Any]]:
        """What is selected, for each row of `Booster.predict`'s answer as lists."""
        return [self._of_row(prediction) for prediction in predictions]

    def _of_row(self, prediction: Any) -> dict[str, Any]:
        impossible = self.impossible
        return {name: math.nan if name in impossible else self._value(name, prediction) for name in self.names}

    def _value(self, name: str, prediction: Any) -> Any:
        if name == "labels":
            return list(range(self.classes))
        if name == "predicted_label":
            return self._label(prediction)
        return _READINGS[name](prediction)

    def _label(self, prediction: Any) -> Any:
        if isinstance(prediction, list):
            return prediction.index(max(prediction))
        threshold = _THRESHOLDS.get(self.objective)
        return prediction if threshold is None else int(prediction > threshold)


def select(environment: Mapping[str, str], objective: str, classes: int) -> Selection | None:
    """What the environment asks for; None if nothing. Raises ModelUnusable for a name or objective that is unknown."""
    text = environment.get(VARIABLE)
    if text is None:
        return None
    names = tuple(text.replace(" ", "").lower().split(","))
    unknown = [name for name in names if name not in _KNOWN]
    if unknown:
        raise ModelUnusable(f"{VARIABLE} has {unknown[0]!r}: it may list {', '.join(sorted(_KNOWN))}")
    if objective not in _NAMES:
        raise ModelUnusable(f"{VARIABLE}: objective `{objective}` unsupported for selectable inference predictions")
    return Selection(names, objective, classes)


def _one(prediction: Any) -> float:
    """The number of the winning class, or the only one."""
    return float(max(prediction)) if isinstance(prediction, list) else float(prediction)


def _all(prediction: Any) -> list[float]:
    return prediction if isinstance(prediction, list) else [1.0 - prediction, prediction]


_READINGS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "probability": _one,
    "raw_score": _one,
    "predicted_score": _one,
    "probabilities": _all,
    "raw_scores": _all,
}

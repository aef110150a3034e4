"""XGBoost: a Booster with the answers of SageMaker's built-in algorithm, or an estimator of XGBoost's with its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from moorage.runtime.failures import ModelUnusable
from moorage.runtime.frameworks import dmlc, files, parts, pickles, threads
from moorage.runtime.frameworks.base import Framework, Model, Say
from moorage.runtime.frameworks.booster import BoosterModel, ScriptedBooster
from moorage.runtime.frameworks.estimator import EstimatorModel
from moorage.runtime.frameworks.selection import VARIABLE, select
from moorage.runtime.trees import compiling
from moorage.runtime.trees.xgboost import best_rounds

_NAMES: Final = ("xgboost-model",)
_PATTERNS: Final = ("*.json", "*.ubj", "*.model", "*.bst", "*.pkl", "*.joblib")
_OLD_FORMAT: Final = b"binf"
_OWN_FORMATS: Final = (b"{", _OLD_FORMAT)
"""What files of XGBoost's own begin with: JSON and UBJSON, and the binary format before them."""


class XGBoost:
    """See `base.Framework`."""

    def load(self, folder: Path, _environment: Mapping[str, str]) -> Any:
        """xgboost-model, else the only file with one of XGBoost's endings. Raises ModelUnusable."""
        path = files.find(folder, _NAMES, _PATTERNS)
        content = path.read_bytes()
        if not content:
            raise ModelUnusable(f"{path.name} is empty")  # XGBoost would abort the process
        return _load_booster(path.name, content) if content.startswith(_OWN_FORMATS) else pickles.load(path)

    def serve(self, native: Any, environment: Mapping[str, str], say: Say, *, predicts: bool = True) -> Model:
        """The model, with one thread unless the environment says more; treelite in its place if it answers the same."""
        is_wanted = compiling.is_wanted(environment)
        if not predicts:
            return ScriptedBooster(native)
        own = _own(native, environment, say)
        return compiling.compile_model(own, say) if is_wanted else own


def _load_booster(name: str, content: bytes) -> Any:
    import xgboost

    booster = xgboost.Booster()
    try:
        booster.load_model(bytearray(content))
    except (xgboost.core.XGBoostError, ValueError) as error:
        why = (
            "its binary format is none that it still reads, choose an image of an older xgboost"
            if content.startswith(_OLD_FORMAT)
            else dmlc.explain(error)
        )
        raise ModelUnusable(f"{name} cannot be loaded by xgboost {xgboost.__version__}: {why}") from error
    return booster


def _own(native: Any, environment: Mapping[str, str], say: Say) -> Model:
    import xgboost

    if isinstance(native, xgboost.Booster):
        native.set_param({"nthread": threads.share(environment)})
        return BoosterModel(native, best_rounds(native), _selection(native, environment, say))
    parts.prepare(native, environment, say)
    return EstimatorModel(native, batches=parts.is_rowwise(native))


def _selection(booster: Any, environment: Mapping[str, str], say: Say) -> Any:
    learner = json.loads(booster.save_config())["learner"]
    objective = learner["objective"]["name"]
    classes = int(learner["learner_model_param"]["num_class"]) or 2
    selection = select(environment, objective, classes)
    if selection is not None and selection.impossible:
        say(f"{VARIABLE}: {', '.join(sorted(selection.impossible))} will be NaN, objective {objective} has none")
    return selection


FRAMEWORK: Final[Framework] = XGBoost()

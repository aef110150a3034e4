"""scikit-learn: what joblib, pickle or skops wrote, with its `predict`, and `predict_proba` where more is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from moorage.runtime.frameworks import files, parts, pickles
from moorage.runtime.frameworks.base import Framework, Model, Say
from moorage.runtime.frameworks.estimator import EstimatorModel
from moorage.runtime.trees import compiling

_NAMES: Final = ("model.joblib", "model.pkl", "model.skops")
_PATTERNS: Final = ("*.joblib", "*.pkl", "*.skops")


class Sklearn:
    """See `base.Framework`."""

    def load(self, folder: Path, _environment: Mapping[str, str]) -> Any:
        """The first of model.joblib, model.pkl and model.skops, else the only such file. Raises ModelUnusable."""
        return pickles.load(files.find(folder, _NAMES, _PATTERNS))

    def serve(self, native: Any, environment: Mapping[str, str], say: Say, *, predicts: bool = True) -> Model:
        """The estimator; treelite in its place if it is an ensemble of trees and answers the same."""
        is_wanted = compiling.is_wanted(environment)
        if not predicts:
            return EstimatorModel(native)
        parts.prepare(native, environment, say)
        own = EstimatorModel(native, batches=parts.is_rowwise(native))
        return compiling.compile_model(own, say) if is_wanted else own


FRAMEWORK: Final[Framework] = Sklearn()

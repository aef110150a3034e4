"""scikit-learn: whatever joblib or pickle wrote, with its `predict`, and `predict_proba` where more is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from moorage.runtime.frameworks import files, pickles
from moorage.runtime.frameworks.base import Framework, Model, Say
from moorage.runtime.frameworks.estimator import EstimatorModel
from moorage.runtime.trees import compiling

_NAMES: Final = ("model.joblib", "model.pkl")
_PATTERNS: Final = ("*.joblib", "*.pkl")


class Sklearn:
    """See `base.Framework`."""

    def load(self, folder: Path, _environment: Mapping[str, str]) -> Any:
        """model.joblib, else model.pkl, else the only *.joblib or *.pkl. Raises ModelUnusable."""
        return pickles.load(files.find(folder, _NAMES, _PATTERNS))

    def serve(self, native: Any, environment: Mapping[str, str], say: Say, *, predicts: bool = True) -> Model:
        """The estimator; treelite in its place if it is an ensemble of trees and answers the same."""
        is_wanted = compiling.is_wanted(environment)
        own = EstimatorModel(native)
        return compiling.compile_model(own, say) if predicts and is_wanted else own


FRAMEWORK: Final[Framework] = Sklearn()

"""Plain Python, script mode: a model is what its script says, and there are no defaults but those of bodies."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from moorage.runtime.failures import ModelUnusable
from moorage.runtime.frameworks.base import Framework, Model, Say
from moorage.runtime.frameworks.scripted import ScriptedModel


class Python:
    """See `base.Framework`."""

    def load(self, _folder: Path, _environment: Mapping[str, str]) -> Any:
        """Nothing: a script may do without a model."""
        return None

    def serve(self, native: Any, _environment: Mapping[str, str], _say: Say, *, predicts: bool) -> Model:
        """The script's object. Raises ModelUnusable if there is no script that predicts."""
        if predicts:
            raise ModelUnusable(
                "A model of this image is code: the archive needs code/inference.py, or what SAGEMAKER_PROGRAM names,"
                " with predict_fn or transform_fn"
            )
        return ScriptedModel(native)


FRAMEWORK: Final[Framework] = Python()

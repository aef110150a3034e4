"""LightGBM: a Booster from its text file, or one of LightGBM's estimators. Content types as for scikit-learn."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from moorage.runtime.failures import ModelUnusable
from moorage.runtime.failures import say as say_error
from moorage.runtime.frameworks import files, parts, pickles, threads
from moorage.runtime.frameworks.base import Framework, Model, Say
from moorage.runtime.frameworks.estimator import FAULTS_OF_DATA, EstimatorModel
from moorage.runtime.trees import compiling

_NAMES: Final = ("model.txt", "model.joblib", "model.pkl")
_PATTERNS: Final = ("*.txt", "*.lgb", "*.joblib", "*.pkl")
_OWN_FORMAT: Final = b"tree"
"""The first line of a saved Booster."""


class LightGBM:
    """See `base.Framework`."""

    def load(self, folder: Path, _environment: Mapping[str, str]) -> Any:
        """The first of model.txt, model.joblib and model.pkl, else the only such file. Raises ModelUnusable."""
        path = files.find(folder, _NAMES, _PATTERNS)
        content = path.read_bytes()
        is_text = content.startswith(_OWN_FORMAT) or path.suffix not in {".joblib", ".pkl"}
        return _load_booster(path.name, content) if is_text else pickles.load(path)

    def serve(self, native: Any, environment: Mapping[str, str], say: Say, *, predicts: bool = True) -> Model:
        """The model with one thread, unless the environment says more; of an estimator, its booster alone."""
        import lightgbm

        is_wanted = compiling.is_wanted(environment)
        if not predicts:
            return EstimatorModel(native)
        if isinstance(native, lightgbm.Booster):
            return BoosterModel(native, threads.share(environment))
        parts.prepare(native, environment, say)
        own = EstimatorModel(native, batches=parts.is_rowwise(native))
        return compiling.compile_model(own, say) if is_wanted else own


class BoosterModel(EstimatorModel):
    """A Booster, which needs no help: 20 µs for a row."""

    quick = True

    def __init__(self, booster: Any, count: int) -> None:
        import lightgbm

        super().__init__(
            booster, batches=True, faults=(*FAULTS_OF_DATA, lightgbm.basic.LightGBMError), explain=_explain
        )
        self._count = count

    def ask(self, data: Any) -> Any:
        """See `EstimatorModel.ask`."""
        return self.native.predict(data, num_threads=self._count)


def _load_booster(name: str, content: bytes) -> Any:
    import lightgbm

    try:
        return lightgbm.Booster(model_str=content.decode())
    except (lightgbm.basic.LightGBMError, ValueError) as error:
        raise ModelUnusable(f"{name} cannot be loaded by lightgbm {lightgbm.__version__}: {_explain(error)}") from error


def _explain(error: BaseException) -> str:
    """The first line: the next ones advise to switch the check off."""
    return say_error(error).partition("\n")[0]


FRAMEWORK: Final[Framework] = LightGBM()

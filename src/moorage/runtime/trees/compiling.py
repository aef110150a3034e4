"""The decision whether a model is compiled, and the sentence about it in the log."""

from __future__ import annotations

import importlib.util
import time
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from moorage.runtime.failures import ModelUnusable
from moorage.runtime.frameworks import dmlc
from moorage.runtime.frameworks.base import Model, Say
from moorage.runtime.frameworks.estimator import EstimatorModel
from moorage.runtime.trees import boosted, forests, lightgbm, xgboost
from moorage.runtime.trees.bitvectors import quicken
from moorage.runtime.trees.check import check_equal
from moorage.runtime.trees.compiled import CompiledModel, StagedModel
from moorage.runtime.trees.probes import probe_rows
from moorage.runtime.trees.stages import take_apart
from moorage.runtime.trees.translation import NotCompiled, Translation

VARIABLE: Final = "MOORAGE_COMPILE"

_Translate = Callable[[Any], Translation]


def is_wanted(environment: Mapping[str, str]) -> bool:
    """Whether `MOORAGE_COMPILE` is `on`, as by default, and not `off`. Raises ModelUnusable for anything else."""
    value = environment.get(VARIABLE, "on")
    if value not in {"on", "off"}:
        raise ModelUnusable(f"{VARIABLE} is {value!r}: it may be on or off")
    return value == "on"


def compile_model(own: Model, say_line: Say) -> Model:
    """`own`, or a model in front of it that answers the same, quicker. What cannot be compiled at all goes unsaid."""
    prepare, ensemble = take_apart(own.native)
    translate = _TRANSLATIONS.get(_name(ensemble))
    if translate is None:
        return own
    began = time.perf_counter()
    last = own if prepare is None else EstimatorModel(ensemble)
    try:
        translation, rows = _translate(last, translate)
    except NotCompiled as reason:
        say_line(f"not compiled: {reason}")
        return own
    say_line(
        f"compiled: {translation.model.num_tree} trees, checked on {rows} rows in"
        f" {(time.perf_counter() - began) * 1000:.0f} ms ({VARIABLE}=off for the framework itself)"
    )
    compiled = CompiledModel(last, translation)
    return compiled if prepare is None else StagedModel(own, prepare, compiled)


def _name(native: Any) -> str:
    """`sklearn.RandomForestClassifier`. A subclass of the user's is something else, and may predict otherwise."""
    return f"{type(native).__module__.partition('.')[0]}.{type(native).__name__}"


def _translate(own: Model, translate: _Translate) -> tuple[Translation, int]:
    """The translation, and on how many rows it answered as `own` does. Raises NotCompiled."""
    if importlib.util.find_spec("treelite") is None:
        raise NotCompiled("treelite is not installed")
    try:
        with warnings.catch_warnings():
            warnings.resetwarnings()  # scikit-learn sets up all filters anew for every tree: half of the time
            warnings.simplefilter("ignore")  # what it warns of is compared below
            translation = translate(own.native)
            probes = probe_rows(translation.model, missing=translation.takes_missing)
            check_equal(own, translation, probes)
            translation = quicken(translation, probes)
    except NotCompiled:
        raise
    except Exception as error:
        # The importer reads private attributes of frameworks of any version, and may find anything.
        raise NotCompiled(dmlc.explain(error)) from error
    return translation, len(probes)


def _table(package: str, names: Iterable[str], translate: _Translate) -> dict[str, _Translate]:
    return {f"{package}.{name}": translate for name in names}


_TRANSLATIONS: Final[Mapping[str, _Translate]] = {
    **_table("sklearn", forests.CLASSIFIERS, forests.translate_classifier),
    **_table("sklearn", forests.REGRESSORS, forests.translate_regressor),
    **_table("sklearn", boosted.CLASSIFIERS, boosted.translate_classifier),
    **_table("sklearn", boosted.REGRESSORS, boosted.translate_regressor),
    **_table("xgboost", xgboost.BOOSTERS, xgboost.translate_booster),
    **_table("xgboost", xgboost.CLASSIFIERS, xgboost.translate_classifier),
    **_table("xgboost", xgboost.REGRESSORS, xgboost.translate_regressor),
    **_table("lightgbm", lightgbm.CLASSIFIERS, lightgbm.translate_classifier),
    **_table("lightgbm", lightgbm.REGRESSORS, lightgbm.translate_regressor),
}

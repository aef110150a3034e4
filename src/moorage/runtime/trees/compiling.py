"""The decision whether a model is compiled, and the sentence about it in the log."""

from __future__ import annotations

import importlib.util
import time
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, ParamSpec, TypeVar, cast

from moorage.runtime.failures import ModelUnusable
from moorage.runtime.frameworks import dmlc
from moorage.runtime.frameworks.base import Model, Say
from moorage.runtime.frameworks.estimator import EstimatorModel
from moorage.runtime.trees import boosted, forests, lightgbm, xgboost
from moorage.runtime.trees.bitvectors import quicken, quickened
from moorage.runtime.trees.check import check_equal
from moorage.runtime.trees.compiled import CompiledModel, StagedModel
from moorage.runtime.trees.probes import probe_rows
from moorage.runtime.trees.stages import Prepare, take_apart
from moorage.runtime.trees.translation import NotCompiled, Translation
from moorage.runtime.trees.verdict import RECOLLECTION, Verdict

VARIABLE: Final = "MOORAGE_COMPILE"

_Translator = Callable[[Any], Translation]
P = ParamSpec("P")
T = TypeVar("T")


def is_wanted(environment: Mapping[str, str]) -> bool:
    """Whether `MOORAGE_COMPILE` is `on`, as by default, and not `off`. Raises ModelUnusable for anything else."""
    value = environment.get(VARIABLE, "on")
    if value not in {"on", "off"}:
        raise ModelUnusable(f"{VARIABLE} is {value!r}: it may be on or off")
    return value == "on"


def compile_model(own: Model, say_line: Say) -> Model:
    """`own`, or a model in front of it that answers the same, quicker. What cannot be compiled at all goes unsaid.

    It is checked, unless the `RECOLLECTION` has what the check of the same model came to.
    """
    recollection = RECOLLECTION.get()
    if recollection is not None and recollection.known is not None:
        return _compile_known(own, recollection.known, say_line)
    model, verdict = compile_checked(own, say_line)
    if recollection is not None:
        recollection.found = verdict
    return model


def compile_checked(own: Model, say_line: Say) -> tuple[Model, Verdict]:
    """See `compile_model`; and the verdict by which `compile_as` does it again, sooner."""
    ensemble = _ensemble_of(own)
    if ensemble is None:
        return own, Verdict()
    began = time.perf_counter()
    try:
        translation, verdict = _guarded(_check, ensemble)
    except NotCompiled as reason:
        say_line(f"not compiled: {reason}")
        return own, Verdict(reason=str(reason))
    say_line(
        f"compiled: {translation.model.num_tree} trees, checked on {verdict.rows} rows in"
        f" {(time.perf_counter() - began) * 1000:.0f} ms ({VARIABLE}=off for the framework itself)"
    )
    return ensemble.serve(own, translation), verdict


def compile_as(own: Model, verdict: Verdict) -> Model:
    """What `compile_checked` made of the same model when it came to `verdict`, without asking the framework again."""
    ensemble = _ensemble_of(own) if verdict.rows else None
    if ensemble is None:
        return own
    try:
        return ensemble.serve(own, _guarded(_translate, ensemble, verdict))
    except NotCompiled:
        return own


def _compile_known(own: Model, verdict: Verdict, say_line: Say) -> Model:
    began = time.perf_counter()
    model = compile_as(own, verdict)
    if model is not own:
        say_line(
            f"compiled in {(time.perf_counter() - began) * 1000:.0f} ms, and checked on {verdict.rows} rows by an"
            f" instance before this one ({VARIABLE}=off for the framework itself)"
        )
    elif verdict.reason:
        say_line(f"not compiled: {verdict.reason}")
    return model


@dataclass(frozen=True, slots=True)
class _Ensemble:
    """What can be compiled of a model, and what comes before it."""

    prepare: Prepare | None
    last: Model
    translate: _Translator

    def serve(self, own: Model, translation: Translation) -> Model:
        """The model in front of `own`."""
        compiled = CompiledModel(self.last, translation)
        return compiled if self.prepare is None else StagedModel(own, self.prepare, compiled)


def _ensemble_of(own: Model) -> _Ensemble | None:
    prepare, native = take_apart(own.native)
    translate = _TRANSLATIONS.get(_name(native))
    if translate is None:
        return None
    return _Ensemble(prepare, own if prepare is None else EstimatorModel(native), translate)


def _name(native: Any) -> str:
    """`sklearn.RandomForestClassifier`. A subclass of the user's is something else, and may predict otherwise."""
    return f"{type(native).__module__.partition('.')[0]}.{type(native).__name__}"


def _guarded(step: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What `step` returns. Raises NotCompiled for whatever goes wrong in it."""
    if importlib.util.find_spec("treelite") is None:
        raise NotCompiled("treelite is not installed")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what it warns of is compared below
            # scikit-learn sets up all filters anew for every tree, half of the time; and without any, which another
            # thread must never see, it complains of each tree.
            cast(list[Any], warnings.filters)[1:] = []
            return step(*args, **kwargs)
    except NotCompiled:
        raise
    except Exception as error:
        # The importer reads private attributes of frameworks of any version, and may find anything.
        raise NotCompiled(dmlc.explain(error)) from error


def _check(ensemble: _Ensemble) -> tuple[Translation, Verdict]:
    """The translation, once it answers some rows as the framework does."""
    translation = ensemble.translate(ensemble.last.native)
    probes = probe_rows(translation.model, missing=translation.takes_missing)
    check_equal(ensemble.last, translation, probes)
    quick = quicken(translation, probes)
    return quick, Verdict(len(probes), quickened=quick is not translation)


def _translate(ensemble: _Ensemble, verdict: Verdict) -> Translation:
    translation = ensemble.translate(ensemble.last.native)
    return (quickened(translation) if verdict.quickened else None) or translation


def _table(package: str, names: Iterable[str], translate: _Translator) -> dict[str, _Translator]:
    return {f"{package}.{name}": translate for name in names}


_TRANSLATIONS: Final[Mapping[str, _Translator]] = {
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

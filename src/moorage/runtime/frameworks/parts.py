"""What estimators of scikit-learn's kind have in common, whoever made them: threads, parts, names of columns."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator, Mapping
from typing import Any, Final

from moorage.runtime.failures import ModelUnusable
from moorage.runtime.failures import say as say_error
from moorage.runtime.frameworks import threads
from moorage.runtime.frameworks.base import Say

_PACKAGES: Final = frozenset({"sklearn", "xgboost", "lightgbm", "numpy", "scipy", "builtins"})
_GREEDY: Final = frozenset({"xgboost", "lightgbm"})
"""Packages whose estimators take every processor unless they are told a number; in scikit-learn's that means one."""
_ITEMS_MAX: Final = 10_000
"""What holds more is data, such as the words that a text is taken apart into, and no ensemble."""
_NAMES_SHOWN: Final = 8


def prepare(native: Any, environment: Mapping[str, str], say: Say) -> None:
    """Set an estimator and its parts to the worker's share of threads, and have it warn of nothing request by request.

    With threads of its own a forest adds up its trees in any order, so its answers would differ by that. Raises
    ModelUnusable for an object that does not predict.
    """
    if not hasattr(native, "predict"):
        raise ModelUnusable(
            f"The model is a {type(native).__name__}, which has no predict: code/inference.py has to define predict_fn"
            " or transform_fn"
        )
    count = threads.share(environment)
    try:
        for estimator in _estimators(native):
            if _has_other_jobs(estimator, count):
                _set_jobs(estimator, count)
    except Exception as error:
        say(f"the estimator keeps its own number of threads: {say_error(error)}")
    names = getattr(native, "feature_names_in_", None)
    if names is not None:
        shown = ", ".join(map(str, names[:_NAMES_SHOWN])) + (", …" if len(names) > _NAMES_SHOWN else "")
        say(f"fitted on columns with names: rows are taken in their order, {shown}")
        warnings.filterwarnings("ignore", "X does not have valid feature names", UserWarning)


def is_rowwise(native: Any) -> bool:
    """Whether every part is of a package whose estimators answer each row for itself. Others may look at all rows.

    So may functions of these packages: `scale` and `zscore` go down the columns.
    """
    try:
        parts = _parts(native)
    except Exception:
        return False
    if not parts or any(_is_function_of_rows(name, part) for name, part in parts.items()):
        return False
    return all(_package(part) in _PACKAGES for part in (native, *parts.values()) if _acts(part))


def _parts(native: Any) -> Mapping[str, Any]:
    """Parameters, and those of estimators among them, by name."""
    parts: Mapping[str, Any] = native.get_params(deep=True) if hasattr(native, "get_params") else {}
    return parts


def _estimators(native: Any) -> Iterator[Any]:
    """`native` and all that is in it. Searches and ensembles predict with fitted clones that are no parameters."""
    waiting, seen = [native], set()
    while waiting:
        part = waiting.pop()
        if id(part) in seen or isinstance(part, type) or _is_tree(part):
            continue
        seen.add(id(part))
        if isinstance(part, list | tuple | dict):
            if len(part) <= _ITEMS_MAX:
                waiting.extend(part.values() if isinstance(part, dict) else part)
        elif part is native or hasattr(part, "get_params"):
            yield part
            waiting.extend(getattr(part, "__dict__", {}).values())


def _is_tree(part: Any) -> bool:
    return type(part).__module__.startswith("sklearn.tree.")  # forests have hundreds, and there is nothing to set


def _has_other_jobs(estimator: Any, count: int) -> bool:
    if not (hasattr(estimator, "n_jobs") and hasattr(estimator, "set_params")):
        return False
    value = estimator.n_jobs
    return _package(estimator) in _GREEDY if value is None else value != count


def _set_jobs(estimator: Any, count: int) -> None:
    if _package(estimator) != "xgboost":
        estimator.set_params(n_jobs=count)
        return
    estimator.n_jobs = count  # its set_params would set all parameters of its booster
    with contextlib.suppress(ValueError):  # it is not fitted
        estimator.get_booster().set_param({"nthread": count})


def _is_function_of_rows(name: str, part: Any) -> bool:
    """Whether it is what a FunctionTransformer calls, unless that is sure to look at one number at a time."""
    return name.rpartition("__")[2] == "func" and part is not None and type(part).__name__ != "ufunc"


def _acts(part: Any) -> bool:
    return callable(part) or any(hasattr(part, name) for name in ("predict", "transform"))


def _package(part: Any) -> str:
    module = getattr(part, "__module__", None) or type(part).__module__
    return str(module).partition(".")[0]

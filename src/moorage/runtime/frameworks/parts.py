"""What estimators of scikit-learn's kind have in common, whoever made them: threads, parts, names of columns."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, Final

from moorage.runtime.failures import ModelUnusable
from moorage.runtime.failures import say as say_error
from moorage.runtime.frameworks import threads
from moorage.runtime.frameworks.base import Say

_PACKAGES: Final = frozenset({"sklearn", "xgboost", "lightgbm", "numpy", "scipy", "builtins"})
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
        jobs = {name: count for name, value in _parts(native).items() if _is_jobs(name) and value not in {None, count}}
        if jobs:
            native.set_params(**jobs)
    except Exception as error:
        say(f"the estimator keeps its own number of threads: {say_error(error)}")
    names = getattr(native, "feature_names_in_", None)
    if names is not None:
        shown = ", ".join(map(str, names[:_NAMES_SHOWN])) + (", …" if len(names) > _NAMES_SHOWN else "")
        say(f"fitted on columns with names: rows are taken in their order, {shown}")
        warnings.filterwarnings("ignore", "X does not have valid feature names", UserWarning)


def is_rowwise(native: Any) -> bool:
    """Whether every part is of a package whose estimators answer each row for itself. Others may look at all rows."""
    try:
        parts = [native, *_parts(native).values()]
    except Exception:
        return False
    return bool(parts[1:]) and all(_package(part) in _PACKAGES for part in parts if _acts(part))


def _parts(native: Any) -> Mapping[str, Any]:
    """Parameters, and those of estimators among them, by name."""
    parts: Mapping[str, Any] = native.get_params(deep=True) if hasattr(native, "get_params") else {}
    return parts


def _is_jobs(name: str) -> bool:
    return name == "n_jobs" or name.endswith("__n_jobs")


def _acts(part: Any) -> bool:
    return callable(part) or any(hasattr(part, name) for name in ("predict", "transform"))


def _package(part: Any) -> str:
    module = getattr(part, "__module__", None) or type(part).__module__
    return str(module).partition(".")[0]

"""Whether treelite answers the same as the framework: the condition for it to serve in its place."""

from __future__ import annotations

from typing import Any

import numpy as np

from moorage.runtime.frameworks.base import Model
from moorage.runtime.trees.gtil import Array
from moorage.runtime.trees.translation import NotCompiled, Translation


def check_equal(own: Model, translation: Translation, probes: Array) -> None:
    """Raises NotCompiled where `translation` answers otherwise than `own`, beyond its tolerance: 0 means to the bit."""
    rows = translation.rows_of(probes)
    if rows is None:
        raise NotCompiled("the rows to check it with are none that it takes")
    expected = own.predict(probes, detailed=True)
    found = translation.answers(rows, detailed=True)
    if expected.keys() != found.keys():
        raise NotCompiled(f"it answers {', '.join(found)} where the framework answers {', '.join(expected)}")
    for name, answers in expected.items():
        _compare(name, np.asarray(answers), np.asarray(found[name]), translation.tolerance)


def _compare(name: str, expected: Array, found: Array, tolerance: float) -> None:
    if (expected.shape, expected.dtype) != (found.shape, found.dtype):
        raise NotCompiled(
            f"{name} come as {found.dtype} of shape {found.shape}, from the framework as {expected.dtype} of shape"
            f" {expected.shape}"
        )
    differing = np.flatnonzero(~_equal(expected, found, tolerance).reshape(len(expected), -1).all(axis=1))
    if len(differing):
        row = int(differing[0])
        raise NotCompiled(
            f"{name} differ in {len(differing)} of {len(expected)} rows, first {_short(found[row])} where the framework"
            f" has {_short(expected[row])}"
        )


def _equal(expected: Array, found: Array, tolerance: float) -> Array:
    if expected.dtype.kind != "f":
        return np.asarray(expected == found)
    same = (expected == found) | (np.isnan(expected) & np.isnan(found))
    if tolerance:
        with np.errstate(invalid="ignore"):
            same |= np.abs(expected - found) <= tolerance * np.maximum(1.0, np.abs(expected))
    return np.asarray(same)


def _short(answer: Any) -> str:
    text = str(answer.tolist() if isinstance(answer, np.ndarray | np.generic) else answer)
    return text if len(text) <= 80 else f"{text[:77]}…"

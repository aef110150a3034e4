"""Whether treelite answers the same as the framework: the condition for it to serve in its place."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from moorage.runtime.frameworks.base import Model
from moorage.runtime.trees.gtil import Array
from moorage.runtime.trees.translation import NotCompiled, Translation

_FEW: Final = 3
_EVERY: Final = 4


def check_equal(own: Model, translation: Translation, probes: Array) -> None:
    """Raises NotCompiled where `translation` answers otherwise than `own`, beyond its tolerance: 0 means to the bit.

    Rows are asked all at once, without those that have missing values, and a few at a time: a scorer may have a way of
    its own for each.
    """
    rows = translation.rows_of(probes)
    if rows is None:
        raise NotCompiled("the rows to check it with are none that it takes")
    expected = own.predict(probes, detailed=True)
    complete = np.flatnonzero(~np.isnan(rows).any(axis=1))
    for some, at_once in ((np.arange(len(rows)), len(rows)), (complete, len(rows)), (complete[::_EVERY], _FEW)):
        found = _answers(translation, rows[some], at_once)
        if expected.keys() != found.keys():
            raise NotCompiled(f"it answers {', '.join(found)} where the framework answers {', '.join(expected)}")
        for name, answers in expected.items():
            _compare(name, np.asarray(answers)[some], found[name], translation.tolerance)


def _answers(translation: Translation, rows: Array, at_once: int) -> dict[str, Array]:
    starts = range(0, len(rows), at_once)
    parts = [translation.answers(rows[start : start + at_once], detailed=True) for start in starts]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


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

"""Rows that would show a difference: on every side of the thresholds, and far away from all of them.

Half of the rows are drawn around the thresholds of the trees. Each of the others leads to one node, tree after tree,
and lies on its threshold, or beside it by the least that float32 or float64 can tell.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from moorage.runtime.trees.gtil import Array

COUNT: Final = 128
_HALF: Final = COUNT // 2
_SEED: Final = 20
_EXTREMES: Final = (0.0, -0.0, 1.0, -1.0, 1e-30, -1e-30, 1e30, -1e30)
_EXTREME_SHARE: Final = 0.02
_THRESHOLDS_MAX: Final = 10_000
"""To draw around: as many tell where the thresholds of a column lie."""
_MISSING_SHARE: Final = 0.05


@dataclass(frozen=True, slots=True)
class _Tree:
    """The nodes of a tree that are no leaves, `tests`; by node, what is tested, its parent, and the side it is on."""

    tests: Array
    feature: Array
    threshold: Array
    parent: Array
    """-1 at the root."""
    side: Array
    """-1 for a left child, 1 for a right one."""


def probe_rows(model: Any, *, missing: bool) -> Array:
    """`COUNT` rows of float64 for a `treelite.Model`, the same ones each time; with NaN among them if `missing`."""
    draw = np.random.default_rng(_SEED)
    trees = [_tree(model, index) for index in _spread(model.num_tree, _HALF)]
    rows = _around(trees, model.num_feature, draw)
    for number, row in enumerate(rows[_HALF:]):
        turn, index = divmod(number, len(trees))
        tree = trees[index]
        nodes = tree.tests[np.isfinite(tree.threshold[tree.tests])]
        if len(nodes):
            node = int(draw.choice(nodes))
            _lead(row, tree, node)
            row[tree.feature[node]] = _WAYS[(turn + index) % len(_WAYS)](tree.threshold[node])
    rows[np.isinf(rows)] = 0.0  # an infinite threshold asks whether a value is missing
    if missing:
        rows[:_HALF][draw.random((_HALF, model.num_feature)) < _MISSING_SHARE] = np.nan
    return rows


def _spread(count: int, at_most: int) -> list[int]:
    """Indices from all over `range(count)`."""
    return sorted(set(np.linspace(0, count - 1, min(count, at_most)).astype(int).tolist()))


def _tree(model: Any, index: int) -> _Tree:
    fields = model.get_tree_accessor(index).get_field
    left, right = fields("cleft"), fields("cright")
    tests = np.flatnonzero(left >= 0)
    parent, side = np.full(len(left), -1), np.zeros(len(left))
    for children, which in ((left, -1), (right, 1)):
        parent[children[tests]] = tests
        side[children[tests]] = which
    return _Tree(tests, fields("split_index"), fields("threshold"), parent, side)


def _around(trees: list[_Tree], features: int, draw: np.random.Generator) -> Array:
    """Random rows: in each column numbers from about its thresholds, a few of them extreme."""
    used = np.concatenate([tree.feature[tree.tests] for tree in trees])
    thresholds = np.concatenate([tree.threshold[tree.tests] for tree in trees]).astype(np.float64)
    if len(used) > _THRESHOLDS_MAX:
        some = draw.integers(len(used), size=_THRESHOLDS_MAX)
        used, thresholds = used[some], thresholds[some]
    rows = draw.normal(size=(COUNT, features))
    for feature in np.unique(used):
        known = thresholds[(used == feature) & np.isfinite(thresholds)]
        if len(known):
            spread = np.std(known) or abs(known[0]) or 1.0
            rows[:, feature] = draw.choice(known, COUNT) + draw.normal(scale=spread / 2, size=COUNT)
    extreme = draw.random(rows.shape) < _EXTREME_SHARE
    rows[extreme] = draw.choice(_EXTREMES, np.count_nonzero(extreme))
    return rows


def _lead(row: Array, tree: _Tree, node: int) -> None:
    """Change `row` as little as it takes to come to `node`."""
    here = node
    while tree.parent[here] >= 0:
        side, here = tree.side[here], tree.parent[here]
        feature, threshold = tree.feature[here], float(tree.threshold[here])
        if (row[feature] - threshold) * side <= 0:
            row[feature] = threshold + side * max(abs(threshold), 1.0) / 64


def _next_to(kind: type[np.floating[Any]], towards: float) -> Callable[[Any], float]:
    return lambda threshold: float(np.nextafter(kind(threshold), kind(towards)))


_WAYS: Final[Sequence[Callable[[Any], float]]] = (
    float,
    _next_to(np.float32, -np.inf),
    _next_to(np.float32, np.inf),
    _next_to(np.float64, -np.inf),
    _next_to(np.float64, np.inf),
)
"""From a threshold to a number on it, or next to it."""

"""Forests of small trees by bit vectors: a few operations of numpy on all trees at once, instead of a walk for each.

QuickScorer (Lucchese et al., SIGIR 2015), laid out for numpy. The leaves of a tree are the bits of a number, from left
to right. A test that a row does not pass rules out the leaves on its left. So for each column and each interval between
two of its thresholds there is a row of numbers, one a tree, without the leaves that a value there rules out; the lowest
bit that is left in all columns is the leaf where the row ends up. Sums are taken tree after tree, as the forest does.

Of the iris forest that takes a fifth of treelite's time in a batch of 96 rows. What it takes depends on the columns,
and hardly on rows and trees; a walk is the other way round. So from how many rows on it is quicker follows from both.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from moorage.runtime.trees.gtil import Array
from moorage.runtime.trees.translation import Scores, Translation

LEAVES_MAX: Final = 64
TABLE_BYTES_MAX: Final = 8 * 1024 * 1024
"""Of all columns together; beyond, looking things up is no quicker than walking."""
_WALK_US: Final = 0.085
"""A row's way through one tree."""
_CALL_US: Final = 10.0
_COLUMN_US: Final = 2.0
"""What bit vectors take for a few rows, and for each column. Like the walk measured, and only their ratios matter."""
_ALL: Final = np.uint64(2**64 - 1)
_EXPONENT_BIAS: Final = 1023
_MANTISSA_BITS: Final = 52


@dataclass(frozen=True, slots=True)
class _Tree:
    """A tree of scikit-learn, by node. A test sends a row to the left if its value is at most the threshold."""

    left: Array
    right: Array
    feature: Array
    threshold: Array
    answers: Array
    """(nodes, classes)"""


def quicken(translation: Translation, probes: Array) -> Translation:
    """`translation` with bit vectors, if they can do it and score `probes` as it does, to the bit."""
    scorer = _bit_vectors(translation)
    rows = translation.rows_of(probes[~np.isnan(probes).any(axis=1)])
    if scorer is None or rows is None or not np.array_equal(scorer.look_up(rows), translation.scorer(rows)):
        return translation
    return replace(translation, scorer=scorer)


def quickened(translation: Translation) -> Translation | None:
    """The same without a check: for what has been checked before."""
    scorer = _bit_vectors(translation)
    return None if scorer is None else replace(translation, scorer=scorer)


def rows_min(*, columns: int, trees: int) -> int:
    """From how many rows on bit vectors are quicker than a walk.

    >>> rows_min(columns=4, trees=100), rows_min(columns=30, trees=100), rows_min(columns=4, trees=10)
    (3, 9, 22)
    """
    return math.ceil((_CALL_US + _COLUMN_US * columns) / (_WALK_US * trees))


def _bit_vectors(translation: Translation) -> BitVectors | None:
    if translation.averaged is None:
        return None
    trees = [_read(tree) for tree in translation.averaged]
    if max(np.count_nonzero(tree.left < 0) for tree in trees) > LEAVES_MAX:
        return None
    thresholds = _thresholds(trees)
    if sum(len(each) + 1 for each in thresholds.values()) * len(trees) * _ALL.nbytes > TABLE_BYTES_MAX:
        return None
    return BitVectors(trees, thresholds, translation.scorer)


class BitVectors:
    """See `translation.Scores`. A few rows, and those with NaN, go on to `otherwise`."""

    def __init__(self, trees: Sequence[_Tree], thresholds: Mapping[int, Array], otherwise: Scores) -> None:
        self._otherwise = otherwise
        self.dtype = otherwise.dtype
        self.features = otherwise.features
        self._trees = len(trees)
        self._answers = np.zeros((len(trees) * LEAVES_MAX, trees[0].answers.shape[1]))
        self._first_leaf = np.arange(len(trees)) * LEAVES_MAX - _EXPONENT_BIAS
        ruled_out = _RuledOut(thresholds)
        for number, tree in enumerate(trees):
            leaves = ruled_out.enter(number, tree)
            self._answers[number * LEAVES_MAX : number * LEAVES_MAX + len(leaves)] = tree.answers[leaves]
        self._columns = ruled_out.columns(len(trees))
        self.rows_min = rows_min(columns=len(thresholds), trees=len(trees))
        """Fewer are walked."""

    def __call__(self, rows: Array) -> Array:
        """See `translation.Scores`."""
        if len(rows) < self.rows_min or np.isnan(rows.sum()):
            return self._otherwise(rows)
        return self.look_up(rows)

    def look_up(self, rows: Array) -> Array:
        """The same for any number of rows, none of them with NaN."""
        left = np.full((len(rows), self._trees), _ALL)
        for feature, thresholds, left_over in self._columns:
            left &= left_over[thresholds.searchsorted(rows[:, feature])]
        lowest = left & (~left + np.uint64(1))
        # A power of two as a double has its logarithm for an exponent.
        leaves = (lowest.astype(np.float64).view(np.int64) >> _MANTISSA_BITS) + self._first_leaf
        # In this layout numpy adds tree after tree; of one that is contiguous by row it would add in pairs.
        answers = self._answers.take(np.ascontiguousarray(leaves.T), axis=0)
        sums: Array = np.add.reduce(answers, axis=0) if answers[0].size > 1 else _add_in_order(answers)
        sums /= self._trees
        return sums[:, np.newaxis, :]


def _add_in_order(answers: Array) -> Array:
    """The sum over the trees, one after the other, of a single number each: numpy's own would add these in pairs."""
    last: Array = np.add.accumulate(answers, axis=0)[-1]
    return last


class _RuledOut:
    """What tests rule out, collected tree after tree."""

    def __init__(self, thresholds: Mapping[int, Array]) -> None:
        self._thresholds = thresholds
        self._place = {
            feature: {threshold: place for place, threshold in enumerate(each.tolist())}
            for feature, each in thresholds.items()
        }
        self._found: dict[int, list[tuple[int, int, int]]] = {feature: [] for feature in thresholds}
        """By column: from which interval on, in which tree, which leaves are left."""

    def enter(self, number: int, tree: _Tree) -> list[int]:
        """Take in a tree. Answers its leaves, from left to right."""
        lefts, rights = tree.left.tolist(), tree.right.tolist()
        features, thresholds = tree.feature.tolist(), tree.threshold.tolist()
        leaves: list[int] = []

        def walk(node: int) -> int:
            """The bits of the leaves below `node`."""
            if lefts[node] < 0:
                leaves.append(node)
                return 1 << (len(leaves) - 1)
            below_left, below_right = walk(lefts[node]), walk(rights[node])
            feature = features[node]
            place = self._place[feature][thresholds[node]] + 1
            self._found[feature].append((place, number, int(_ALL) ^ below_left))
            return below_left | below_right

        walk(0)
        return leaves

    def columns(self, trees: int) -> list[tuple[int, Array, Array]]:
        """By column its number, its thresholds, and by interval and tree which leaves are left."""
        return [
            (feature, each, self._left_over(feature, len(each) + 1, trees))
            for feature, each in self._thresholds.items()
        ]

    def _left_over(self, feature: int, intervals: int, trees: int) -> Array:
        left_over = np.full((intervals, trees), _ALL)
        places, numbers, masks = zip(*self._found[feature], strict=True)
        np.bitwise_and.at(left_over, (np.array(places), np.array(numbers)), np.array(masks, np.uint64))
        return np.bitwise_and.accumulate(left_over, axis=0)


def _read(tree: Any) -> _Tree:
    answers = tree.value.reshape(tree.node_count, -1)
    return _Tree(tree.children_left, tree.children_right, tree.feature, tree.threshold, answers)


def _thresholds(trees: Sequence[_Tree]) -> dict[int, Array]:
    """The thresholds of each column that is tested, in order."""
    tests = [np.flatnonzero(tree.left >= 0) for tree in trees]
    features = np.concatenate([tree.feature[own] for tree, own in zip(trees, tests, strict=True)])
    values = np.concatenate([tree.threshold[own] for tree, own in zip(trees, tests, strict=True)])
    return {int(feature): np.unique(values[features == feature]) for feature in np.unique(features)}

"""Bit vectors give the scores of treelite, to the last bit, or leave it to treelite."""

from __future__ import annotations

from typing import Any

import pytest

np = pytest.importorskip("numpy")
pytest.importorskip("sklearn")
pytest.importorskip("treelite")

from hypothesis import example, given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from sklearn.datasets import load_diabetes, load_iris  # noqa: E402
from sklearn.ensemble import (  # noqa: E402
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
)

from moorage.runtime.trees import boosted, forests  # noqa: E402
from moorage.runtime.trees.bitvectors import BitVectors, quicken  # noqa: E402
from moorage.runtime.trees.probes import probe_rows  # noqa: E402
from moorage.runtime.trees.translation import Translation  # noqa: E402


def quickened(translation: Translation) -> Translation:
    return quicken(translation, probe_rows(translation.model, missing=False))


@settings(deadline=None, max_examples=10)
@given(
    kind=st.sampled_from([RandomForestClassifier, ExtraTreesClassifier, RandomForestRegressor]),
    trees=st.integers(1, 20),
    leaves=st.integers(2, 64),
    seed=st.integers(0, 2**32 - 1),
)
@example(kind=RandomForestRegressor, trees=8, leaves=2, seed=1)  # a sum of one row, which numpy would take in pairs
def test_they_score_as_treelite_does_however_many_rows(kind: Any, trees: int, leaves: int, seed: int) -> None:
    rows, answers = (load_diabetes if kind is RandomForestRegressor else load_iris)(return_X_y=True)
    forest = kind(trees, max_leaf_nodes=leaves, random_state=seed).fit(rows, answers)
    translate = forests.translate_regressor if kind is RandomForestRegressor else forests.translate_classifier
    plain = translate(forest)
    quick = quickened(plain)
    assert isinstance(quick.scorer, BitVectors)
    draw = np.random.default_rng(seed)
    drawn = rows[draw.integers(len(rows), size=70)] * draw.uniform(0.5, 1.5, (70, 1))
    probes = np.concatenate([drawn, probe_rows(plain.model, missing=False)])
    for count in (1, quick.scorer.rows_min - 1, quick.scorer.rows_min, 64, len(probes)):
        some = plain.rows_of(probes[:count])
        if some is not None:
            assert np.array_equal(plain.scorer(some), quick.scorer(some))
            assert np.array_equal(plain.scorer(some), quick.scorer.look_up(some))


@pytest.mark.parametrize(("expected", "trees", "count"), [(False, 100, 2), (True, 100, 3), (False, 3, 60)])
def test_rows_are_walked_where_there_are_too_few_for_their_trees(
    monkeypatch: pytest.MonkeyPatch, expected: bool, trees: int, count: int
) -> None:
    rows, classes = load_iris(return_X_y=True)
    quick = quickened(forests.translate_classifier(RandomForestClassifier(trees, random_state=0).fit(rows, classes)))
    looked_up: list[int] = []
    monkeypatch.setattr(BitVectors, "look_up", lambda _, some: looked_up.append(len(some)))
    some = quick.rows_of(rows[:count])
    assert some is not None
    quick.scorer(some)
    assert ([count] if expected else []) == looked_up


def test_rows_with_nan_are_left_to_treelite() -> None:
    rows, classes = load_iris(return_X_y=True)
    holes = np.where(np.random.default_rng(0).random(rows.shape) < 0.2, np.nan, rows)
    forest = RandomForestClassifier(10, random_state=0).fit(holes, classes)
    plain = forests.translate_classifier(forest)
    some = plain.rows_of(holes)
    assert some is not None
    assert np.array_equal(plain.scorer(some), quickened(plain).scorer(some))


def test_trees_with_more_leaves_than_bits_are_left_to_treelite() -> None:
    rows, answers = load_diabetes(return_X_y=True)
    forest = RandomForestRegressor(2, max_leaf_nodes=65, random_state=0).fit(rows, answers)
    plain = forests.translate_regressor(forest)
    assert quickened(plain) is plain


def test_sums_are_left_to_treelite() -> None:
    rows, classes = load_iris(return_X_y=True)
    plain = boosted.translate_classifier(GradientBoostingClassifier(n_estimators=5).fit(rows, classes))
    assert quickened(plain) is plain


@pytest.mark.parametrize("missing", [False, True])
def test_what_scores_differently_is_not_used(monkeypatch: pytest.MonkeyPatch, missing: bool) -> None:
    rows, classes = load_iris(return_X_y=True)
    plain = forests.translate_classifier(RandomForestClassifier(10, random_state=0).fit(rows, classes))
    right = BitVectors.look_up
    monkeypatch.setattr(BitVectors, "look_up", lambda self, rows: np.nextafter(right(self, rows), 1.0))
    assert quicken(plain, probe_rows(plain.model, missing=missing)) is plain

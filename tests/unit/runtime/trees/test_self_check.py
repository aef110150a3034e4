"""The check before a compiled model serves: what it says, and that it finds what is wrong."""

import copy
from dataclasses import replace
from types import SimpleNamespace

import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed")
pytest.importorskip("treelite", reason="treelite is not installed")

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestClassifier, RandomForestRegressor

from moorage.runtime.failures import ModelUnusable
from moorage.runtime.frameworks.estimator import EstimatorModel
from moorage.runtime.trees import boosted, compiling, forests, importing
from moorage.runtime.trees.check import check_equal
from moorage.runtime.trees.gtil import Scorer
from moorage.runtime.trees.importing import import_trees
from moorage.runtime.trees.probes import COUNT, probe_rows
from moorage.runtime.trees.translation import NotCompiled

DRAW = np.random.default_rng(0)
ROWS = DRAW.normal(size=(200, 3))
CLASSES = (ROWS[:, 0] + ROWS[:, 1] ** 2 > 0.5).astype(int)
HOLED = np.where(DRAW.random(ROWS.shape) < 0.2, np.nan, ROWS)

STUMPS = RandomForestClassifier(n_estimators=10, max_depth=1, random_state=0).fit(ROWS, CLASSES)
FOREST = RandomForestClassifier(n_estimators=10, random_state=0).fit(ROWS, CLASSES)
HOLED_FOREST = RandomForestRegressor(n_estimators=10, random_state=0).fit(HOLED, ROWS[:, 0])
HISTOGRAM = HistGradientBoostingRegressor(max_iter=10, random_state=0).fit(HOLED, ROWS[:, 0])


def change(translation, field, mutate):
    """Change what `mutate` says in a field of every tree."""
    for index in range(translation.model.num_tree):
        tree = translation.model.get_tree_accessor(index)
        tree.set_field(field, mutate(tree.get_field(field).copy()))


def change_one(translation, index, field, mutate):
    tree = translation.model.get_tree_accessor(index)
    tree.set_field(field, mutate(tree.get_field(field).copy()))


def change_leaf(translation, index):
    tree = translation.model.get_tree_accessor(index)
    values = tree.get_field("leaf_value").copy()
    values[np.flatnonzero(tree.get_field("cleft") < 0)[0]] += 1e-9
    tree.set_field("leaf_value", values)


def check(own, translation):
    probes = probe_rows(translation.model, missing=translation.takes_missing)
    check_equal(EstimatorModel(own), translation, probes)


def next_float32(thresholds):
    return np.nextafter(thresholds.astype(np.float32), np.float32(np.inf)).astype(np.float64)


def next_float64(thresholds):
    return np.nextafter(thresholds, np.inf)


def one_vote(votes):
    votes[np.flatnonzero(votes)[0]] -= 1e-9
    return votes


@pytest.mark.parametrize(
    ("own", "translate"),
    [
        (STUMPS, forests.translate_classifier),
        (FOREST, forests.translate_classifier),
        (HOLED_FOREST, forests.translate_regressor),
        (HISTOGRAM, boosted.translate_regressor),
    ],
)
def test_what_is_translated_well_passes(own, translate):
    check(own, translate(own))


@pytest.mark.parametrize(
    ("own", "translate", "mutate"),
    [
        (STUMPS, forests.translate_classifier, lambda made: change(made, "threshold", next_float32)),
        (STUMPS, forests.translate_classifier, lambda made: change_one(made, 7, "threshold", next_float32)),
        (FOREST, forests.translate_classifier, lambda made: change(made, "threshold", next_float32)),
        (STUMPS, forests.translate_classifier, lambda made: change_one(made, 3, "leaf_vector", one_vote)),
        (FOREST, forests.translate_classifier, lambda made: change(made, "cmp", lambda kinds: kinds - 1)),
        (HOLED_FOREST, forests.translate_regressor, lambda made: change_leaf(made, 9)),
        (HOLED_FOREST, forests.translate_regressor, lambda made: change(made, "default_left", lambda left: 1 - left)),
        (HISTOGRAM, boosted.translate_regressor, lambda made: change(made, "threshold", next_float64)),
        (HISTOGRAM, boosted.translate_regressor, lambda made: change_leaf(made, 0)),
        (HISTOGRAM, boosted.translate_regressor, lambda made: change(made, "default_left", lambda left: 1 - left)),
    ],
    ids=[
        "every threshold by a hair",
        "one threshold by a hair",
        "every threshold of deep trees by a hair",
        "one leaf",
        "less instead of less or equal",
        "one leaf of numbers",
        "missing to the other side",
        "every threshold by a hair of float64",
        "one leaf of sums",
        "missing in sums to the other side",
    ],
)
def test_what_is_translated_wrongly_is_found(own, translate, mutate):
    translation = translate(own)
    mutate(translation)
    with pytest.raises(NotCompiled, match="differ in"):
        check(own, translation)


def test_rows_that_are_not_narrowed_are_found():
    translation = forests.translate_classifier(STUMPS)
    with pytest.raises(NotCompiled, match="differ in"):
        check(STUMPS, replace(translation, narrows=False))


def test_rows_that_are_narrowed_for_nothing_are_found():
    with pytest.raises(NotCompiled, match="differ in"):
        check(HISTOGRAM, replace(boosted.translate_regressor(HISTOGRAM), narrows=True))


def test_the_probes_lie_on_thresholds_beside_them_and_far_away():
    model = forests.translate_classifier(STUMPS).model
    probes = probe_rows(model, missing=True)
    assert (COUNT, 3) == probes.shape
    assert np.isnan(probes).any()
    assert np.nanmax(np.abs(probes)) > 1e29
    for index in range(model.num_tree):
        tree = model.get_tree_accessor(index)
        column = probes[:, tree.get_field("split_index")[0]]
        threshold = tree.get_field("threshold")[0]
        assert threshold in column
        for kind in (np.float32, np.float64):
            for towards in (-np.inf, np.inf):
                assert float(np.nextafter(kind(threshold), kind(towards))) in column


def test_trees_of_before_1_3_are_read_as_those_of_today():
    """They had weights of the classes in their leaves, and nowhere for missing values to go."""
    fields = ("node_count", "children_left", "children_right", "feature", "threshold", "impurity")
    more = ("n_node_samples", "weighted_n_node_samples")
    old = copy.copy(FOREST)
    old.estimators_ = [copy.copy(estimator) for estimator in FOREST.estimators_]
    for estimator in old.estimators_:
        tree = estimator.tree_
        weights = tree.value * tree.weighted_n_node_samples[:, None, None]
        estimator.tree_ = SimpleNamespace(**{name: getattr(tree, name) for name in fields + more}, value=weights)
    found = Scorer(import_trees(old)[0], raw=False)(ROWS.astype(np.float32).astype(np.float64))
    np.testing.assert_allclose(found[:, 0, :], FOREST.predict_proba(ROWS), rtol=1e-14)
    assert not hasattr(old.estimators_[0].tree_, "missing_go_to_left")


def test_a_forest_may_be_too_large(monkeypatch):
    monkeypatch.setattr(importing, "NODES_MAX", 20)
    said = []
    compiling.compile_model(EstimatorModel(STUMPS), said.append)
    assert ["not compiled: it has 30 nodes, more than 20"] == said


def test_the_log_says_what_was_checked():
    said = []
    compiling.compile_model(EstimatorModel(FOREST), said.append)
    assert said[0].startswith("compiled: 10 trees, checked on 128 rows in ")


def test_the_log_says_why_not(monkeypatch):
    monkeypatch.setattr(compiling, "probe_rows", lambda model, **_: np.full((2, 3), np.inf))
    said = []
    own = EstimatorModel(FOREST)
    assert own is compiling.compile_model(own, said.append)
    assert ["not compiled: the rows to check it with are none that it takes"] == said


@pytest.mark.parametrize(("environment", "expected"), [({}, True), ({"MOORAGE_COMPILE": "on"}, True)])
def test_it_is_on_unless_it_is_off(environment, expected):
    assert expected is compiling.is_wanted(environment)
    assert not compiling.is_wanted({"MOORAGE_COMPILE": "off"})


def test_anything_else_is_no_value():
    with pytest.raises(ModelUnusable, match="MOORAGE_COMPILE is 'yes': it may be on or off"):
        compiling.is_wanted({"MOORAGE_COMPILE": "yes"})

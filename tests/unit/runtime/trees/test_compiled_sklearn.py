"""Ensembles of scikit-learn, compiled: the same answers to the last bit, and the same refusals in the same words."""

import functools

import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed")
pytest.importorskip("treelite", reason="treelite is not installed")

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from moorage.runtime.failures import RequestRefused
from moorage.runtime.frameworks.estimator import EstimatorModel
from moorage.runtime.trees.compiled import CompiledModel, StagedModel
from moorage.runtime.trees.compiling import compile_model

# scikit-learn's own, for numbers that are too large for it.
pytestmark = [
    pytest.mark.filterwarnings("ignore:overflow encountered in cast:RuntimeWarning"),
    pytest.mark.filterwarnings("ignore:invalid value encountered in reduce:RuntimeWarning"),
]

FEATURES = 4
ROWS = 120

KINDS = {
    "forest of 2 classes": (RandomForestClassifier, {"n_estimators": 5}, 2),
    "forest of 3 classes": (RandomForestClassifier, {"n_estimators": 5, "class_weight": "balanced"}, 3),
    "extra trees of 3 classes": (ExtraTreesClassifier, {"n_estimators": 5}, 3),
    "forest of names": (RandomForestClassifier, {"n_estimators": 5}, "abc"),
    "forest of stumps": (RandomForestClassifier, {"n_estimators": 5, "max_depth": 1}, 3),
    "forest of numbers": (RandomForestRegressor, {"n_estimators": 5}, None),
    "extra trees of numbers": (ExtraTreesRegressor, {"n_estimators": 5}, None),
    "boosting of 2 classes": (GradientBoostingClassifier, {"n_estimators": 5}, 2),
    "boosting by another loss": (GradientBoostingClassifier, {"n_estimators": 5, "loss": "exponential"}, 2),
    "boosting of 3 classes": (GradientBoostingClassifier, {"n_estimators": 5}, 3),
    "boosting of numbers": (GradientBoostingRegressor, {"n_estimators": 5, "loss": "huber"}, None),
    "boosting from zero": (GradientBoostingRegressor, {"n_estimators": 5, "init": "zero"}, None),
    "histograms of 2 classes": (HistGradientBoostingClassifier, {"max_iter": 5}, 2),
    "histograms of 3 classes": (HistGradientBoostingClassifier, {"max_iter": 5}, 3),
    "histograms of numbers": (HistGradientBoostingRegressor, {"max_iter": 5}, None),
    "histograms of counts": (HistGradientBoostingRegressor, {"max_iter": 5, "loss": "poisson"}, None),
}


def make_data(kind, *, seed=0, missing=0.0):
    draw = np.random.default_rng(seed)
    rows = draw.normal(size=(ROWS, FEATURES)).round(1)  # rounded, so that values meet thresholds
    values = rows[:, 0] * 2 + np.sin(rows[:, 1] * 3) + draw.normal(size=ROWS) / 4
    rows[draw.random(rows.shape) < missing] = np.nan
    if kind is None:
        return rows, np.abs(values)
    names = list(kind) if isinstance(kind, str) else list(range(kind))
    return rows, np.array(names)[np.argsort(np.argsort(values)) * len(names) // ROWS]


@functools.cache
def both(name, seed=0, missing=0.0):
    """A model as the framework has it, and compiled."""
    estimator, parameters, kind = KINDS[name]
    own = EstimatorModel(estimator(random_state=seed, **parameters).fit(*make_data(kind, seed=seed, missing=missing)))
    said = []
    compiled = compile_model(own, said.append)
    assert isinstance(compiled, CompiledModel), said
    return own, compiled


def answer(model, data, *, detailed=True):
    """What a model answers, as bytes, or how it refuses."""
    try:
        found = model.predict(data, detailed=detailed)
    except RequestRefused as refused:
        return refused.status, str(refused)
    found = found if detailed else {"predictions": found}
    return {name: (array.dtype, array.shape, array.tolist()) for name, array in found.items()}


def assert_same(own, compiled, data):
    for detailed in (True, False):
        np.testing.assert_equal(answer(compiled, data, detailed=detailed), answer(own, data, detailed=detailed))


@pytest.mark.parametrize("name", KINDS)
def test_rows_like_those_it_was_fitted_on(name):
    own, compiled = both(name)
    for rows in (make_data(KINDS[name][2])[0], make_data(None, seed=7)[0], make_data(None, seed=8)[0][:1]):
        assert_same(own, compiled, rows)


@settings(max_examples=50, deadline=None)
@given(
    st.sampled_from(sorted(KINDS)),
    st.sampled_from([0, 1]),
    st.sampled_from([0.0, 0.2]),
    arrays.arrays(
        st.sampled_from([np.float64, np.float32]),
        st.tuples(st.integers(1, 4), st.just(FEATURES)),
        elements=st.one_of(st.floats(width=32), st.sampled_from([0.1, -0.3, 0.30000001192092896, np.nan, np.inf])),
    ),
)
def test_any_numbers_at_all(name, seed, missing, rows):
    own, compiled = both(name, seed, 0.0 if "oosting" in name else missing)
    assert_same(own, compiled, rows)


@pytest.mark.parametrize("name", ["forest of 3 classes", "boosting of 3 classes", "histograms of numbers"])
@pytest.mark.parametrize(
    "data",
    [
        np.ones((2, FEATURES - 1)),
        np.ones((2, FEATURES + 1)),
        np.ones((0, FEATURES)),
        np.ones(FEATURES),
        np.ones((1, 2, FEATURES)),
        np.array(1.0),
        np.array([["a"] * FEATURES]),
        np.array([[None] * FEATURES]),
        np.array([["1"] * FEATURES]),
        np.array([[10**400] * FEATURES]),
        np.array([[np.inf] * FEATURES]),
        np.array([[1e39] * FEATURES]),
        np.array([[3.4e38] * FEATURES]),
        np.ones((2, FEATURES), complex),
        np.ones((2, FEATURES), bool),
        np.ones((2, FEATURES), np.uint8),
        np.full((2, FEATURES), 2**62),
        np.ones((FEATURES, 3)).T,
        [[1.0, 2.0, 3.0, 4.0]],
        np.zeros((1100, FEATURES)),
    ],
    ids=lambda data: f"{np.asarray(data).dtype} {np.shape(data)} {np.asarray(data).ravel()[:1]}",
)
def test_whatever_else_is_sent(name, data):
    assert_same(*both(name), data)


def test_sparse_rows_are_the_frameworks():
    from scipy.sparse import csr_matrix

    assert_same(*both("forest of numbers"), csr_matrix(make_data(None)[0]))


def test_a_table_with_names_is_the_frameworks():
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    rows, values = make_data(3)
    columns = [f"c{number}" for number in range(FEATURES)]
    own = EstimatorModel(RandomForestClassifier(n_estimators=5).fit(pandas.DataFrame(rows, columns=columns), values))
    compiled = compile_model(own, print)
    shuffled = pandas.DataFrame(rows, columns=columns)[columns[::-1]]
    assert_same(own, compiled, shuffled)
    assert 400 == answer(compiled, shuffled)[0]


def test_what_is_not_translated_stays_the_frameworks():
    rows, values = make_data(2)
    said = []
    own = EstimatorModel(RandomForestClassifier(n_estimators=3).fit(rows, np.stack([values, 1 - values], axis=1)))
    assert own is compile_model(own, said.append)
    assert ["not compiled: it predicts several outputs"] == said


def test_categories_stay_the_frameworks():
    rows, values = make_data(2)
    rows[:, 3] = np.arange(ROWS) % 3
    said = []
    model = HistGradientBoostingClassifier(max_iter=3, categorical_features=[3]).fit(rows, values)
    own = EstimatorModel(model)
    assert own is compile_model(own, said.append)
    assert ["not compiled: it has categorical features"] == said


class Louder(RandomForestRegressor):
    """A user's own kind of forest."""

    def predict(self, rows):
        return super().predict(rows) * 100


def test_a_subclass_predicts_in_its_own_way():
    own = EstimatorModel(Louder(n_estimators=3).fit(*make_data(None)))
    said = []
    assert own is compile_model(own, said.append)
    assert [] == said


def test_a_forest_of_one_class_stays_the_frameworks():
    said = []
    own = EstimatorModel(RandomForestClassifier(n_estimators=3).fit(make_data(3)[0], ["only"] * ROWS))
    assert own is compile_model(own, said.append)
    assert ["not compiled: RuntimeError: treelite: target_id != -1 && class_id != -1"] == said


STAGED = {
    "pipeline": lambda forest: make_pipeline(StandardScaler(), PCA(2), forest),
    "pipeline of a pipeline": lambda forest: make_pipeline(StandardScaler(), make_pipeline(PCA(3), forest)),
    "pipeline that passes on": lambda forest: make_pipeline("passthrough", forest),
    "search": lambda forest: GridSearchCV(forest, {"max_depth": [1, 3]}, cv=2),
    "search of a pipeline": lambda forest: GridSearchCV(make_pipeline(MinMaxScaler(), forest), {}, cv=2),
}


@pytest.mark.parametrize("name", STAGED)
@pytest.mark.parametrize("data", [make_data(None, seed=3)[0], np.ones((2, 3)), np.full((1, FEATURES), np.nan), [["a"]]])
def test_what_comes_before_a_forest_stays_the_frameworks(name, data):
    own = EstimatorModel(STAGED[name](RandomForestClassifier(n_estimators=4, random_state=0)).fit(*make_data(3)))
    compiled = compile_model(own, print)
    assert isinstance(compiled, StagedModel)
    assert own.native is compiled.native
    assert_same(own, compiled, data)


def test_sparse_rows_from_before_go_to_the_last_estimator_itself():
    rows, values = make_data(3)
    texts = [" ".join(f"w{int(value * 5)}" for value in row) for row in rows]
    own = EstimatorModel(make_pipeline(CountVectorizer(), RandomForestClassifier(4, random_state=0)).fit(texts, values))
    compiled = compile_model(own, print)
    assert isinstance(compiled, StagedModel)
    assert_same(own, compiled, np.array(texts[:9]))


def test_many_outputs_of_numbers():
    rows, values = make_data(None)
    own = EstimatorModel(RandomForestRegressor(n_estimators=7).fit(rows, np.stack([values, -values], axis=1)))
    compiled = compile_model(own, print)
    assert isinstance(compiled, CompiledModel)
    assert_same(own, compiled, rows)


def test_an_isolation_forest_is_told_from_its_scores():
    own = EstimatorModel(IsolationForest(n_estimators=20, random_state=0).fit(make_data(None)[0]))
    assert_same(own, compile_model(own, print), make_data(None, seed=5)[0])

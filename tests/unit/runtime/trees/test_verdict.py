"""A model that was checked before is compiled as it was then, without asking its framework again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed")
pytest.importorskip("treelite", reason="treelite is not installed")

import numpy as np
from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from moorage.runtime.frameworks.estimator import EstimatorModel
from moorage.runtime.trees import compiling
from moorage.runtime.trees.bitvectors import BitVectors
from moorage.runtime.trees.compiled import CompiledModel
from moorage.runtime.trees.verdict import RECOLLECTION, Recollection, Verdict

ROWS = np.random.default_rng(0).normal(size=(200, 3))
CLASSES = (ROWS[:, 0] + ROWS[:, 1] ** 2 > 0.5).astype(int)
FOREST = RandomForestClassifier(n_estimators=10, random_state=0).fit(ROWS, CLASSES)
BOOSTED = GradientBoostingRegressor(n_estimators=10, random_state=0).fit(ROWS, ROWS[:, 0])
STAGED = make_pipeline(StandardScaler(), RandomForestClassifier(n_estimators=5, random_state=0)).fit(ROWS, CLASSES)


class Mute(EstimatorModel):
    """An estimator that is not to be asked."""

    def predict(self, data: Any, *, detailed: bool) -> Any:
        raise AssertionError("the framework is asked")


@pytest.fixture
def recollection() -> Iterator[Recollection]:
    recollection = Recollection()
    token = RECOLLECTION.set(recollection)
    yield recollection
    RECOLLECTION.reset(token)


@pytest.mark.parametrize("native", [FOREST, BOOSTED, STAGED], ids=["forest", "boosted", "pipeline"])
def test_it_answers_as_the_one_that_was_checked(native: Any, recollection: Recollection) -> None:
    first = compiling.compile_model(EstimatorModel(native), lambda text: None)
    assert recollection.found is not None
    assert 128 == recollection.found.rows
    recollection.known = recollection.found
    said: list[str] = []
    second = compiling.compile_model(Mute(native), said.append)
    assert type(first) is type(second)
    expected, found = (model.predict(ROWS, detailed=True) for model in (first, second))
    assert {name: answers.tolist() for name, answers in expected.items()} == {
        name: answers.tolist() for name, answers in found.items()
    }
    assert "checked on 128 rows by an instance before this one" in said[0]


def test_bit_vectors_serve_again_where_they_did_before() -> None:
    _, verdict = compiling.compile_checked(EstimatorModel(FOREST), lambda text: None)
    assert Verdict(128, quickened=True) == verdict
    for quickened in (True, False):
        model = compiling.compile_as(EstimatorModel(FOREST), Verdict(128, quickened=quickened))
        assert isinstance(model, CompiledModel)
        assert quickened is isinstance(model._translation.scorer, BitVectors)


def test_what_was_not_compiled_is_not_again_and_says_why(recollection: Recollection) -> None:
    recollection.known = Verdict(reason="it has too many nodes")
    said: list[str] = []
    own = EstimatorModel(FOREST)
    assert own is compiling.compile_model(own, said.append)
    assert ["not compiled: it has too many nodes"] == said


def test_what_cannot_be_compiled_at_all_goes_unsaid(recollection: Recollection) -> None:
    said: list[str] = []
    own = EstimatorModel(LogisticRegression().fit(ROWS, CLASSES))
    for _ in range(2):
        assert own is compiling.compile_model(own, said.append)
        recollection.known = recollection.found
    assert (Verdict(), []) == (recollection.known, said)


def test_a_verdict_on_another_model_compiles_nothing_that_is_no_ensemble() -> None:
    own = EstimatorModel(LogisticRegression().fit(ROWS, CLASSES))
    assert own is compiling.compile_as(own, Verdict(128, quickened=True))

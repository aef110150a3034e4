"""LightGBM: a Booster as it is, an estimator without what is around its booster, both as LightGBM itself answers."""

import pytest

pytest.importorskip("lightgbm", reason="lightgbm is not installed")
pytest.importorskip("sklearn", reason="scikit-learn is not installed")

import joblib
import lightgbm
import numpy as np

from moorage.runtime.failures import ModelUnusable, RequestRefused
from moorage.runtime.frameworks.lightgbm import FRAMEWORK, BoosterModel
from moorage.runtime.trees.compiled import CompiledModel

# LightGBM names the columns it was fitted on, and scikit-learn warns of rows without names.
pytestmark = pytest.mark.filterwarnings("ignore:X does not have valid feature names:UserWarning")

DRAW = np.random.default_rng(0)
ROWS = DRAW.normal(size=(200, 4)).round(1)
SCORES = np.abs(ROWS[:, 0] * 2 + np.sin(ROWS[:, 1] * 3) + DRAW.normal(size=200) / 4)
CLASSES = np.argsort(np.argsort(SCORES)) * 3 // 200
QUIET = {"verbose": -1, "n_jobs": 1}
HARD = np.vstack([ROWS[:20], np.where(DRAW.random((20, 4)) < 0.3, np.nan, ROWS[20:40]), np.full((1, 4), 1e30)])


def booster():
    return lightgbm.train(
        {"objective": "binary", "verbose": -1, "num_threads": 1}, lightgbm.Dataset(ROWS, CLASSES > 0), 5
    )


def serve(native, environment=None, **kwargs):
    said = []
    return FRAMEWORK.serve(native, environment or {}, said.append, **kwargs), said


@pytest.mark.parametrize("name", ["model.txt", "anything.lgb"])
def test_a_booster_is_loaded_from_its_text(tmp_path, name):
    own = booster()
    own.save_model(tmp_path / name)
    model, said = serve(FRAMEWORK.load(tmp_path, {}))
    assert isinstance(model, BoosterModel)
    assert own.predict(HARD).tolist() == model.predict(HARD, detailed=False).tolist()
    assert own.predict(HARD).tolist() == model.predict(HARD, detailed=True)["predictions"].tolist()
    assert (True, True, []) == (model.quick, model.batches, said)


def test_an_estimator_is_loaded_from_its_pickle(tmp_path):
    own = lightgbm.LGBMClassifier(n_estimators=4, **QUIET).fit(ROWS, CLASSES)
    joblib.dump(own, tmp_path / "model.joblib")
    assert own.predict(ROWS).tolist() == FRAMEWORK.load(tmp_path, {}).predict(ROWS).tolist()


@pytest.mark.parametrize(("environment", "expected"), [({}, 1), ({"OMP_NUM_THREADS": "2"}, 2)])
def test_an_estimator_without_a_word_on_threads_does_not_take_every_processor(environment, expected):
    own = lightgbm.LGBMClassifier(n_estimators=4, **QUIET).fit(ROWS, CLASSES).set_params(n_jobs=None)
    serve(own, environment)
    assert expected == own.n_jobs


@pytest.mark.parametrize("content", [b"", b"hello", b"tree\nbroken", b"\xff"])
def test_a_broken_file_says_so(tmp_path, content):
    (tmp_path / "model.txt").write_bytes(content)
    with pytest.raises(ModelUnusable, match=r"^model.txt cannot be loaded by lightgbm [0-9.]+: "):
        FRAMEWORK.load(tmp_path, {})


@pytest.mark.parametrize(
    "own",
    [
        lightgbm.LGBMClassifier(n_estimators=5, **QUIET).fit(ROWS, CLASSES > 0),
        lightgbm.LGBMClassifier(n_estimators=5, **QUIET).fit(ROWS, np.array(list("abc"))[CLASSES]),
        lightgbm.LGBMClassifier(n_estimators=5, boosting_type="dart", **QUIET).fit(ROWS, CLASSES),
        lightgbm.LGBMRegressor(n_estimators=5, **QUIET).fit(ROWS, SCORES),
        lightgbm.LGBMRegressor(n_estimators=5, objective="poisson", **QUIET).fit(ROWS, SCORES),
    ],
    ids=lambda own: f"{type(own).__name__} {own.objective_} {own.boosting_type}",
)
def test_an_estimator_is_answered_by_its_booster(own):
    pytest.importorskip("treelite", reason="treelite is not installed")
    model, said = serve(own)
    assert isinstance(model, CompiledModel), said
    found = model.predict(HARD, detailed=True)
    assert (own.predict(HARD).dtype, own.predict(HARD).tolist()) == (
        found["predictions"].dtype,
        found["predictions"].tolist(),
    )
    if hasattr(own, "predict_proba"):
        assert own.predict_proba(HARD).tolist() == found["probabilities"].tolist()


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (np.ones((2, 3)), "The number of features in data .3. is not the same as it was in training data .4."),
        (np.ones(4), "must be 2 dimensional"),
        (np.array([["a", "b", "c", "d"]]), "could not convert string to float"),
        (np.array([[10**400, 1, 1, 1]]), "int too large to convert to float"),
    ],
)
def test_what_is_refused(rows, message, capfd):
    model, _ = serve(booster())
    with pytest.raises(RequestRefused, match=message) as caught:
        model.predict(rows, detailed=False)
    assert 400 == caught.value.status
    assert "predict_disable_shape_check" not in str(caught.value)


def test_a_script_gets_the_model_as_it_is():
    own = booster()
    model, said = serve(own, predicts=False)
    assert own is model.native
    assert [] == said

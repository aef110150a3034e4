"""XGBoost, LightGBM and forests, deployed and invoked as users do: answers are the frameworks' own, compiled or not."""

from __future__ import annotations

import io
import json
from importlib import metadata

import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed")
pytest.importorskip("treelite", reason="treelite is not installed")

import joblib
import numpy as np

from moorage.testing.deployment import Deployer
from moorage.testing.models import IRIS_ROWS, archive, iris_archive, iris_forest

pytestmark = pytest.mark.slow

DRAW = np.random.default_rng(0)
ROWS = DRAW.normal(size=(300, 20)).round(2)
CLASSES = (ROWS[:, 0] + ROWS[:, 1] ** 2 > 0.5).astype(int)
CSV = "\n".join(",".join(map(str, row)) for row in ROWS[:3].tolist()).encode()


@pytest.fixture(scope="module")
def deployer(moorage_server):
    return Deployer(moorage_server)


def log_of(server, name):
    return "".join(path.read_text() for path in server.data_dir.glob(f"logs/*/{name}/**/*.log"))


def packed(name, model):
    file = io.BytesIO()
    joblib.dump(model, file)
    return archive({name: file.getvalue()})


def test_a_booster_answers_as_the_built_in_algorithm(deployer, moorage_server):
    xgboost = pytest.importorskip("xgboost", reason="xgboost is not installed")
    version = ".".join(xgboost.__version__.split(".")[:2])
    image = f"683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:{version}-1"
    booster = xgboost.train({"objective": "binary:logistic", "max_depth": 6}, xgboost.DMatrix(ROWS, CLASSES), 100)
    content = archive({"xgboost-model": bytes(booster.save_raw("ubj"))})
    assert "InService" == deployer.deploy("boosted", content, Image=image)
    expected = booster.predict(xgboost.DMatrix(ROWS[:3])).tolist()
    assert ",".join(map(str, expected)).encode() == deployer.invoke("boosted", CSV, ContentType="text/csv")
    found = deployer.invoke("boosted", CSV, ContentType="text/csv", Accept="application/json")
    assert {"predictions": [{"score": score} for score in expected]} == json.loads(found)
    assert "compiled: 100 trees, checked on 128 rows" in log_of(moorage_server, "boosted")
    deployer.delete("boosted")


def test_processes_that_are_forked_from_a_model_with_threads_answer(deployer):
    xgboost = pytest.importorskip("xgboost", reason="xgboost is not installed")
    booster = xgboost.train({"objective": "reg:squarederror"}, xgboost.DMatrix(ROWS, ROWS[:, 0]), 10)
    version = ".".join(xgboost.__version__.split(".")[:2])
    environment = {"OMP_NUM_THREADS": "2", "SAGEMAKER_MODEL_SERVER_WORKERS": "2", "MOORAGE_COMPILE": "on"}
    content = archive({"xgboost-model": bytes(booster.save_raw("ubj"))})
    assert "InService" == deployer.deploy(
        "threads", content, Image=f"moorage/xgboost:{version}", Environment=environment
    )
    many = "\n".join(",".join(map(str, row)) for row in ROWS.tolist()).encode()  # more than are compiled
    found = deployer.invoke("threads", many, ContentType="text/csv")
    assert ",".join(map(str, booster.predict(xgboost.DMatrix(ROWS)).tolist())).encode() == found
    deployer.delete("threads")


def test_lightgbm_answers_as_itself(deployer):
    lightgbm = pytest.importorskip("lightgbm", reason="lightgbm is not installed")
    version = ".".join(metadata.version("lightgbm").split(".")[:2])
    model = lightgbm.LGBMClassifier(n_estimators=20, verbose=-1, n_jobs=1).fit(ROWS, CLASSES)
    text = archive({"model.txt": model.booster_.model_to_string().encode()})
    assert "InService" == deployer.deploy("booster", text, Image=f"moorage/lightgbm:{version}")
    chances = model.booster_.predict(ROWS[:3])
    assert chances.tolist() == json.loads(deployer.invoke("booster", CSV, ContentType="text/csv"))
    deployer.delete("booster")
    assert "InService" == deployer.deploy(
        "estimator", packed("model.joblib", model), Image=f"moorage/lightgbm:{version}"
    )
    found = json.loads(deployer.invoke("estimator", json.dumps({"instances": ROWS[:3].tolist()}).encode()))
    assert [[1.0 - chance, chance] for chance in chances.tolist()] == found["probabilities"]
    deployer.delete("estimator")


@pytest.mark.parametrize("compiled", ["on", "off"])
def test_the_recipes_forest_answers_the_same_compiled_or_not(deployer, moorage_server, compiled):
    name = f"forest-{compiled}"
    assert "InService" == deployer.deploy(name, iris_archive(), Environment={"MOORAGE_COMPILE": compiled})
    found = json.loads(deployer.invoke(name, json.dumps({"instances": IRIS_ROWS}).encode()))
    assert iris_forest().predict(IRIS_ROWS).tolist() == found["predictions"]
    assert iris_forest().predict_proba(IRIS_ROWS).tolist() == found["probabilities"]
    assert ("compiled: 100 trees" in log_of(moorage_server, name)) is ("on" == compiled)
    deployer.delete(name)


def test_no_other_word_switches_compiling(deployer):
    assert "Failed" == deployer.deploy("forest-maybe", iris_archive(), Environment={"MOORAGE_COMPILE": "maybe"})
    reason = deployer.sagemaker.describe_endpoint(EndpointName="forest-maybe")["FailureReason"]
    assert "MOORAGE_COMPILE is 'maybe': it may be on or off" in reason
    deployer.delete("forest-maybe")

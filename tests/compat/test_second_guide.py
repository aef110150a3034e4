"""The second guide's `inference.py`, unchanged, behind an endpoint of the scikit-learn image it names."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

import joblib
import numpy as np
from sklearn.ensemble import RandomForestClassifier

from moorage.testing.deployment import Deployer
from moorage.testing.models import archive
from moorage.testing.server import RunningMoorage

SCRIPT = Path(__file__).with_name("recipes") / "inference.py.txt"  # character for character, so not for our linters
# fmt: off
FEATURES = [[1.5, 2.3, 0.7, 4.1, 3.2, 0.9, 1.8, 2.1, 3.5, 0.4,
             2.7, 1.1, 3.8, 0.6, 2.9, 1.4, 3.3, 0.8, 2.0, 1.6]]
# fmt: on
ENDPOINT = "sklearn-custom-endpoint"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def model() -> Any:
    draw = np.random.default_rng(0)
    rows = draw.uniform(0, 5, size=(200, 20))
    return RandomForestClassifier(n_estimators=20, random_state=0).fit(rows, (rows[:, 0] > rows[:, 1]).astype(int))


@pytest.fixture(scope="module")
def deployer(moorage_server: RunningMoorage, model: Any) -> Any:
    file = io.BytesIO()
    joblib.dump(model, file)
    deployer = Deployer(moorage_server)
    content = archive({"model.joblib": file.getvalue(), "code/inference.py": SCRIPT.read_bytes()})
    environment = {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}
    assert "InService" == deployer.deploy(ENDPOINT, content, Environment=environment)
    yield deployer
    deployer.delete(ENDPOINT)


def test_the_guides_request_is_answered(deployer: Deployer, model: Any) -> None:
    result = json.loads(deployer.invoke(ENDPOINT, json.dumps({"features": FEATURES}).encode()))
    assert {
        "predictions": model.predict(FEATURES).tolist(),
        "probabilities": model.predict_proba(FEATURES).tolist(),
    } == result


def test_rows_as_csv_are_answered(deployer: Deployer, model: Any) -> None:
    rows = np.random.default_rng(1).uniform(0, 5, size=(3, 20))
    body = "\n".join(",".join(map(str, row)) for row in rows.tolist())
    result = json.loads(deployer.invoke(ENDPOINT, body.encode(), ContentType="text/csv"))
    assert model.predict(rows).tolist() == result["predictions"]


@pytest.mark.parametrize(
    ("options", "status", "reason"),
    [
        ({"ContentType": "application/xml"}, 400, "Unsupported content type: application/xml"),
        ({"Accept": "text/csv"}, 500, "Unsupported response type: text/csv"),
    ],
)
def test_what_the_script_does_not_take(deployer: Deployer, options: dict[str, str], status: int, reason: str) -> None:
    with pytest.raises(ClientError, match=reason) as caught:
        deployer.invoke(ENDPOINT, json.dumps({"features": FEATURES}).encode(), **options)
    assert status == caught.value.response["OriginalStatusCode"]

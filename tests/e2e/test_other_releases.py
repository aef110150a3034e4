"""A model of another release of scikit-learn than the installed one, served by just that one, from a real index."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from moorage.app.settings import load_settings
from moorage.runners.process.environments.uv import PackagesUnavailable, Uv
from moorage.testing.deployment import Deployer
from moorage.testing.models import IRIS_ROWS, archive, sklearn_image
from moorage.testing.server import RunningMoorage

RELEASE = "1.2.1"
IMAGE = sklearn_image("1.2")

pytestmark = pytest.mark.slow

TRAIN = """
import json, pickle, sys
import sklearn
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier

rows, species = load_iris(return_X_y=True)
model = RandomForestClassifier(n_estimators=100, random_state=42).fit(rows, species)
asked = json.loads(sys.argv[2])
with open(sys.argv[1], "wb") as file:
    pickle.dump(model, file)
print(json.dumps([sklearn.__version__, model.predict(asked).tolist(), model.predict_proba(asked).tolist()]))
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    data_dir = tmp_path_factory.mktemp("releases") / "data"
    uv = Uv(load_settings(data_dir).packages, data_dir / "cache").impatient()
    try:
        asyncio.run(uv.run("pip", "compile", "-", "--no-deps", "--no-build", stdin=f"scikit-learn=={RELEASE}"))
    except PackagesUnavailable as error:
        pytest.skip(f"no package index can be reached: {error}")
    server = RunningMoorage(data_dir)
    server.start()
    yield server
    server.stop()
    assert [] == server.processes()


def test_a_pickle_of_an_old_release_answers_as_it_does_there(server, tmp_path):
    """Built by command beforehand; the pickle is then made by the environment's own Python."""
    moorage("environments", "build", IMAGE, "--data-dir", str(server.data_dir))
    (python,) = (server.data_dir / "environments").glob(f"scikit-learn-{RELEASE}-*/bin/python")
    release, predictions, probabilities = train(python, tmp_path / "model.pkl")
    assert RELEASE == release

    deployer = Deployer(server)
    model = archive({"model.pkl": (tmp_path / "model.pkl").read_bytes()})
    assert "InService" == deployer.deploy("old-forest", model, Image=IMAGE)

    answer = json.loads(deployer.invoke("old-forest", json.dumps({"instances": IRIS_ROWS}).encode()))
    assert {"predictions": predictions, "probabilities": probabilities} == answer
    assert f"scikit-learn {RELEASE} on Python" in moorage("environments", "list", "--data-dir", str(server.data_dir))


def moorage(*arguments: str) -> str:
    command = [str(Path(sys.executable).with_name("moorage")), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def train(python: Path, target: Path) -> list:
    """Pickle a forest; answers the release it is of, and what it says of the three rows."""
    command = [python, "-I", "-c", TRAIN, target, json.dumps(IRIS_ROWS)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

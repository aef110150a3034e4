"""The recipes that this project was begun with, run by the aws CLI from the first command to the last.

The scripts in `recipes/` hold the commands argument for argument; here is what must have come of them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from moorage.testing.models import IRIS_ROWS, iris_forest
from moorage.testing.server import RunningMoorage

RECIPES = Path(__file__).with_name("recipes")
TIMEOUT_S = 900
NOT_YET = ("CreateRepository", "GetAuthorizationToken", "DeleteRepository")

pytestmark = pytest.mark.slow


def run_recipe(name: str, server: RunningMoorage, folder: Path) -> Path:
    """Run a recipe in a home and a folder of its own; answers the folder with what it has written."""
    tools = Path(sys.executable).parent
    environment = server.environment() | {
        "HOME": str(folder),
        "RECIPES": str(RECIPES),
        "AWS_PAGER": "",
        "PATH": f"{tools}:/usr/bin:/bin",
    }
    before = instances_of(server)
    done = subprocess.run(
        ["bash", str(RECIPES / name)], cwd=folder, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S
    )
    assert 0 == done.returncode, done.stdout[-2000:] + done.stderr[-2000:]
    (folder / "left_of_instances.txt").write_text("\n".join(instances_of(server) - before))
    return folder


def instances_of(server: RunningMoorage) -> set[str]:
    """Processes, sockets and records of instances."""
    sockets = {
        os.path.join(folder, name)
        for folder, _, names in os.walk(server.data_dir)
        if "i" == os.path.basename(folder)
        for name in names
    }
    records = {path.name for path in server.data_dir.glob("instances/i-*")}
    return {str(pid) for pid in server.pids("instance")} | sockets | records


@pytest.fixture(scope="module")
def plain(moorage_server: RunningMoorage, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_recipe("plain.sh", moorage_server, tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="module")
def least_privilege(moorage_server: RunningMoorage, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_recipe("least_privilege.sh", moorage_server, tmp_path_factory.mktemp("least-privilege"))


@pytest.fixture(params=["plain", "least_privilege"])
def finished(request: pytest.FixtureRequest) -> Path:
    """The folder of a recipe that has run from its first command to its last."""
    folder: Path = request.getfixturevalue(request.param)
    return folder


def test_the_endpoint_predicts_what_the_local_model_predicts(finished: Path) -> None:
    answer = json.loads((finished / "prediction_output.json").read_text())

    assert "InService\n" == (finished / "status.txt").read_text()
    assert iris_forest().predict(IRIS_ROWS).tolist() == answer["predictions"]
    assert iris_forest().predict_proba(IRIS_ROWS).tolist() == answer["probabilities"]


def test_what_is_not_there_yet_says_so(finished: Path) -> None:
    refusals = (finished / "refusals.txt").read_text().splitlines()

    assert sorted(NOT_YET) == sorted(_operation(refusal) for refusal in refusals)
    assert [] == [refusal for refusal in refusals if "does not implement" not in refusal]


def test_cleanup_leaves_nothing_of_an_instance(finished: Path) -> None:
    assert "" == (finished / "left_of_instances.txt").read_text()


def test_three_features_are_refused_in_the_models_own_words(least_privilege: Path) -> None:
    said = (least_privilege / "model_error.txt").read_text()

    assert "(ModelError)" in said
    assert "Received client error (400) from primary with message" in said
    assert "X has 3 features, but RandomForestClassifier is expecting 4 features as input" in said
    assert not (least_privilege / "error_output.json").exists()


def test_a_versioned_bucket_is_not_empty_after_s3_rm(least_privilege: Path) -> None:
    assert "BucketNotEmpty" in (least_privilege / "not_empty.txt").read_text()


def _operation(refusal: str) -> str:
    """The operation named in the aws CLI's `An error occurred (Code) when calling the X operation: ...`."""
    return refusal.partition("when calling the ")[2].partition(" operation")[0]

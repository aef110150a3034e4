"""The `moorage` command against a real Moorage: what it prints, what it leaves, and how it fails."""

from __future__ import annotations

import itertools
import json
import os
import pickle
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from subprocess import PIPE, STDOUT
from typing import NamedTuple

import pytest
from boto3.exceptions import S3UploadFailedError
from botocore.exceptions import ClientError
from click.testing import CliRunner, Result
from onnx import TensorProto, helper

from moorage.app.settings import load_settings
from moorage.cli.connection import connected
from moorage.cli.failures import Failure
from moorage.cli.main import main
from moorage.testing.models import IRIS_ROWS, iris_forest
from moorage.testing.server import RunningMoorage

pytestmark = pytest.mark.slow

BODY = json.dumps({"instances": IRIS_ROWS})


class _Usage(NamedTuple):
    """As shutil's."""

    free: int


class Command:
    """The `moorage` command, meaning one data directory."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir

    def __call__(self, name: str, *arguments: str, stdin: str | None = None) -> Result:
        return CliRunner().invoke(main, [name, "--data-dir", str(self._data_dir), *arguments], input=stdin)

    def succeeds(self, name: str, *arguments: str) -> str:
        result = self(name, *arguments)
        assert 0 == result.exit_code, result.output
        return result.stdout

    def fails(self, name: str, *arguments: str) -> str:
        result = self(name, *arguments)
        assert 1 == result.exit_code, result.output
        assert isinstance(result.exception, SystemExit)  # not an exception that a user would see as a traceback
        return result.stderr


@pytest.fixture
def moorage(moorage_server: RunningMoorage) -> Command:
    return Command(moorage_server.data_dir)


@pytest.fixture
def stopped(tmp_path: Path) -> Command:
    return Command(tmp_path / "nothing-here")


@pytest.fixture(scope="module")
def forest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "forest.pkl"
    path.write_bytes(pickle.dumps(iris_forest()))
    return path


@pytest.fixture
def deployed(moorage: Command, forest: Path) -> Iterator[str]:
    moorage.succeeds("deploy", str(forest), "--name", "forest")
    yield "forest"
    moorage("delete", "forest")


def test_deploy_serves_a_model_and_says_how_to_ask_it(moorage: Command, forest: Path, deployed: str) -> None:
    said = moorage.succeeds("deploy", str(forest), "--name", "forest", "--instances", "2", "-e", "LEVEL=high")

    assert "forest is in service" in said
    assert "aws sagemaker-runtime invoke-endpoint --endpoint-name forest" in said
    answer = json.loads(moorage.succeeds("invoke", "forest", "-d", BODY))
    assert iris_forest().predict(IRIS_ROWS).tolist() == answer["predictions"]
    assert "AllTraffic 2/2" in moorage.succeeds("list")


def test_deploy_makes_a_serverless_endpoint_if_told_so(moorage: Command, forest: Path, deployed: str) -> None:
    moorage.succeeds("deploy", str(forest), "--name", "forest", "--serverless")

    assert "AllTraffic serverless" in moorage.succeeds("list")
    answer = json.loads(moorage.succeeds("invoke", "forest", "-d", BODY))
    assert iris_forest().predict(IRIS_ROWS).tolist() == answer["predictions"]
    refused = moorage("deploy", str(forest), "--name", "forest", "--serverless", "--instances", "2")
    assert "--serverless and --instances exclude each other" in refused.stderr


def test_deploy_tells_the_framework_by_the_models_suffix(moorage: Command, tmp_path: Path) -> None:
    rows = helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 2])
    answers = helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 2])
    graph = helper.make_graph([helper.make_node("Neg", ["x"], ["y"])], "negation", [rows], [answers])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    (tmp_path / "negation.onnx").write_bytes(model.SerializeToString())

    moorage.succeeds("deploy", str(tmp_path / "negation.onnx"))

    assert [[-1, 2.5]] == json.loads(moorage.succeeds("invoke", "negation", "-d", "[[1, -2.5]]"))
    moorage.succeeds("delete", "negation")


def test_invoke_takes_a_file_or_standard_input_and_any_type(moorage: Command, deployed: str, tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("5.1,3.5,1.4,0.2\n")

    from_file = moorage.succeeds("invoke", deployed, "-d", f"@{rows}", "--accept", "text/csv")
    from_stdin = moorage("invoke", deployed, "--content-type", "text/csv", stdin="5.1,3.5,1.4,0.2\n").stdout

    assert "0\n" == from_file
    assert [0] == json.loads(from_stdin)


def test_what_the_model_refuses_is_said_in_its_own_words(
    moorage: Command, deployed: str, moorage_server: RunningMoorage
) -> None:
    said = moorage.fails("invoke", deployed, "-d", '{"instances": [[1, 2, 3]]}')

    assert "The model answered 400" in said
    assert "3 features" in said
    assert said.endswith(f"What else it said: moorage logs {deployed} --data-dir {moorage_server.data_dir}\n")


def test_delete_removes_what_deploy_made_and_nothing_else(
    moorage: Command, forest: Path, deployed: str, moorage_server: RunningMoorage
) -> None:
    moorage.succeeds("deploy", str(forest), "--name", "forest-2")
    moorage.succeeds("deploy", str(forest), "--name", deployed)

    moorage.succeeds("delete", deployed)

    sagemaker, s3 = moorage_server.client("sagemaker"), moorage_server.client("s3")
    models = [model["ModelName"] for model in sagemaker.list_models(NameContains="forest")["Models"]]
    bucket = "moorage-deploy-123456789012-us-east-1"
    keys = [stored["Key"] for stored in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    assert {"forest-2"} == {name[: len("forest-2")] for name in models}
    assert {"forest-2"} == {key.split("/")[0] for key in keys}
    moorage.succeeds("delete", "forest-2")


def test_a_model_that_cannot_be_loaded_fails_with_its_traceback_and_can_be_mended(
    moorage: Command, forest: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "broken"
    (folder / "code").mkdir(parents=True)
    (folder / "code" / "inference.py").write_text("import no_such_module_here\n")

    said = moorage.fails("deploy", str(folder))

    assert "broken was not deployed" in said
    assert "ModuleNotFoundError: No module named 'no_such_module_here'" in said
    assert "ValidationError" in moorage.fails("invoke", "broken", "-d", BODY)
    moorage.succeeds("deploy", str(forest), "--name", "broken")
    moorage.succeeds("delete", "broken")


def test_an_update_that_fails_leaves_what_was_served(moorage: Command, deployed: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "readme.txt").write_text("no model")

    said = moorage.fails("deploy", str(tmp_path / "empty"), "--name", deployed)

    assert "It still serves what it served before" in said
    assert json.loads(moorage.succeeds("invoke", deployed, "-d", BODY))


def test_logs_has_what_the_code_prints(moorage: Command, tmp_path: Path) -> None:
    folder = tmp_path / "talking"
    (folder / "code").mkdir(parents=True)
    (folder / "code" / "inference.py").write_text(
        "print('hello from the model')\ndef model_fn(folder): return 1\ndef predict_fn(data, model): return model\n"
    )
    moorage.succeeds("deploy", str(folder))

    said = moorage.succeeds("logs", "talking")

    assert "hello from the model" in said
    assert "moorage: unpacked 1 member, " in said
    assert " AllTraffic/i-" in said
    assert 1 == len(moorage.succeeds("logs", "talking", "-n", "1").splitlines())
    assert 1 == len(moorage.succeeds("logs", "talking", "--since", "1h", "--filter", '"hello from"').splitlines())
    assert "" == moorage.succeeds("logs", "talking", "--since", "2100-01-01")
    assert "The log of talking has no such line.\n" == moorage("logs", "talking", "--filter", "absent").stderr
    assert "The log of nobody is empty.\n" == moorage("logs", "nobody").stderr
    moorage.succeeds("delete", "talking")


def test_env_and_status_say_where_it_runs(moorage: Command, moorage_server: RunningMoorage) -> None:
    exports = moorage.succeeds("env").splitlines()
    status = moorage.succeeds("status")

    assert f"export AWS_ENDPOINT_URL={moorage_server.endpoint_url}" in exports
    names = [
        "AWS_ENDPOINT_URL",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_DISABLE_HOST_PREFIX_INJECTION",
    ]
    assert names == [line.removeprefix("export ").partition("=")[0] for line in exports if line.startswith("export")]
    assert f"running at {moorage_server.endpoint_url}" in status
    assert "does not answer" not in status
    assert {"supervisor", "control", "gateway-0", "agent"} <= set(status.split())


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("status", ()), ("env", ()), ("list", ()), ("invoke", ("x", "-d", "{}")), ("logs", ("x",)), ("delete", ("x",))],
)
def test_without_a_server_every_command_says_how_to_start_it(
    stopped: Command, name: str, arguments: tuple[str, ...]
) -> None:
    said = stopped.fails(name, *arguments)

    assert "Moorage is not running on" in said
    assert "moorage up --detach --data-dir" in said


def test_down_without_a_server_is_no_error(stopped: Command) -> None:
    assert "was not running" in stopped.succeeds("down")


def test_ctrl_c_ends_everything_in_order(tmp_path: Path) -> None:
    program = [sys.executable, "-m", "moorage.cli", "up", "--port", "0", "--data-dir", str(tmp_path)]
    with subprocess.Popen(program, stdout=PIPE, stderr=STDOUT, text=True, start_new_session=True) as terminal:
        assert terminal.stdout is not None
        said = list(itertools.takewhile(lambda line: "Moorage is ready at" not in line, terminal.stdout))
        os.killpg(terminal.pid, signal.SIGINT)  # as a terminal does: to every process of the group
        said += terminal.stdout.readlines()

    assert 0 == terminal.returncode
    assert [] == [line for line in said if "Traceback" in line]
    assert [] == [path for path in tmp_path.rglob("*") if path.is_socket()]
    assert [] == RunningMoorage(tmp_path).processes()


def test_a_port_in_use_is_one_sentence(stopped: Command) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        said = stopped.fails("up", "--detach", "--port", str(taken.getsockname()[1]))

    assert "choose another with --port" in said


def test_an_address_that_is_not_this_machines_is_one_sentence(
    stopped: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOORAGE_HOST", "192.0.2.1")  # an address of RFC 5737, which nobody has
    said = stopped.fails("up", "--detach", "--port", "0")

    assert "Cannot listen on 192.0.2.1 port 0 (Cannot assign requested address): check the setting host" in said


def test_damaged_credentials_are_named_without_jargon(stopped: Command, tmp_path: Path) -> None:
    path = tmp_path / "nothing-here" / "credentials.json"
    path.parent.mkdir(mode=0o700)
    path.touch(mode=0o600)

    assert stopped.fails("up", "--detach", "--port", "0").startswith(f"Error: {path} is damaged (")


def test_what_keeps_a_part_from_starting_is_said_and_not_only_logged(stopped: Command, tmp_path: Path) -> None:
    objects = tmp_path / "nothing-here" / "objects"
    objects.mkdir(parents=True, mode=0o700)
    (objects / "index.db").touch()  # of a store whose key is lost

    said = stopped.fails("up", "--detach", "--port", "0")

    assert f"The control process does not start: it exited with code 1 ({objects}.key is missing" in said


def test_a_full_disk_is_named_whatever_else_was_said(
    stopped: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "nothing-here").mkdir(mode=0o700)
    (tmp_path / "nothing-here" / "credentials.json").touch(mode=0o600)  # so that it does not start
    monkeypatch.setattr("shutil.disk_usage", lambda _path: _Usage(free=1000))

    said = stopped.fails("up", "--detach", "--port", "0")

    assert f"There is no room on the disk for {tmp_path}/nothing-here: make room" in said


def test_a_second_server_on_the_same_folder_is_refused(moorage: Command) -> None:
    assert "is running already" in moorage.fails("up", "--detach", "--port", "0")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("invoke", "no-such", "-d", "{}"), "Endpoint no-such of account 123456789012 not found."),
        (("delete", "no-such"), "There is no endpoint no-such."),
        (("deploy", __file__), "cannot be deployed"),
        (("invoke", "no-such", "-d", "@no-such-file"), "Cannot read no-such-file"),
    ],
)
def test_errors_are_one_sentence(moorage: Command, arguments: tuple[str, ...], said: str) -> None:
    assert said in moorage.fails(*arguments)


@pytest.mark.parametrize(
    "error",
    [
        S3UploadFailedError("Failed to upload model.tar.gz: ServiceUnavailable"),
        ClientError({"Error": {"Code": "ServiceUnavailable", "Message": "Try again."}}, "CreateModel"),
    ],
)
def test_what_moorage_could_not_do_is_one_sentence_and_where_to_look(
    moorage_server: RunningMoorage, error: Exception
) -> None:
    with (
        pytest.raises(Failure, match="ServiceUnavailable") as caught,
        connected(load_settings(moorage_server.data_dir)),
    ):
        raise error
    assert f"moorage doctor --data-dir {moorage_server.data_dir}" in str(caught.value.hint)


def test_doctor_looks_at_this_machine(moorage: Command, moorage_server: RunningMoorage) -> None:
    said = " ".join(moorage.succeeds("doctor").split())

    assert "scikit-learn" in said
    assert f"Moorage runs already, at {moorage_server.endpoint_url}" in said

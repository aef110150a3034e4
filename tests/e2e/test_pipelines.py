"""Endpoints whose instances have several containers, through the public API: in series, and each by its name."""

from __future__ import annotations

import asyncio
import json
import pickle
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner

from moorage.cli.main import main
from moorage.testing import models
from moorage.testing.deployment import BUCKET, Deployer
from moorage.testing.load import Load
from moorage.testing.server import RunningMoorage, eventually, kill_for_good

pytest.importorskip("sklearn")

SPECIES = ("setosa", "versicolor", "virginica")
SCALE = """
import os, pickle

def model_fn(folder):
    with open(os.path.join(folder, "scaler.pkl"), "rb") as file:
        return pickle.load(file)

def predict_fn(data, model):
    return model.transform(data)
"""
NAME = f"""
import json

def model_fn(folder):
    return {SPECIES!r}

def transform_fn(model, data, content_type, accept):
    if not content_type.startswith("application/json"):
        raise TypeError(content_type)
    return ",".join(model[int(label)] for label in json.loads(data)), "text/plain"
"""
ADD = """
def model_fn(folder):
    return {name!r}

def transform_fn(model, data, content_type, accept):
    return data + model, "text/plain"
"""
COUNT = """
import asyncio

def model_fn(folder):
    return asyncio.Semaphore(0)

async def count(gate, data):
    for number in range(3):
        yield f"{data}{number}"
        await gate.acquire()

async def transform_fn(model, data, content_type, accept):
    if data.startswith("go on"):
        model.release()
        return "so be it", "text/plain"
    return count(model, data), "text/plain"
"""


@pytest.fixture
def deployer(moorage_server: RunningMoorage) -> Iterator[Deployer]:
    deployer = Deployer(moorage_server)
    yield deployer
    deployer.delete("several")


def several(deployer: Deployer, containers: list[dict[str, Any]], mode: str = "Serial", *, instances: int = 1) -> str:
    """Model, config and endpoint `several`; answers the status that the endpoint ended in."""
    deployer.sagemaker.create_model(
        ModelName="several",
        Containers=containers,
        InferenceExecutionConfig={"Mode": mode},
        ExecutionRoleArn=deployer.role_arn,
    )
    deployer.config("several", "several", instances=instances)
    return deployer.endpoint("several")


def container(deployer: Deployer, name: str, archive: bytes, **members: Any) -> dict[str, Any]:
    """A container definition of an archive, which is uploaded."""
    deployer.s3.put_object(Bucket=BUCKET, Key=f"{name}.tar.gz", Body=archive)
    return {
        "ContainerHostname": name,
        "Image": models.SKLEARN_IMAGE,
        "ModelDataUrl": f"s3://{BUCKET}/{name}.tar.gz",
        **members,
    }


def adding(deployer: Deployer, *names: str) -> list[dict[str, Any]]:
    """Containers that add their names to what they get."""
    return [container(deployer, name, models.script_archive(ADD.format(name=name))) for name in names]


def scaled_forest() -> tuple[Any, Any]:
    """A scaler, and a forest that knows scaled flowers only."""
    from sklearn.datasets import load_iris
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.preprocessing import StandardScaler

    iris = load_iris()
    scaler = StandardScaler().fit(iris.data)
    return scaler, RandomForestClassifier(20, random_state=0).fit(scaler.transform(iris.data), iris.target)


def flowers(deployer: Deployer) -> list[dict[str, Any]]:
    """The guides' pipeline: rows are scaled, classified and named."""
    scaler, forest = scaled_forest()
    as_csv = {"SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "text/csv"}
    scale = models.script_archive(SCALE, **{"scaler.pkl": pickle.dumps(scaler)})
    return [
        container(deployer, "scale", scale, Environment=as_csv),
        container(deployer, "forest", models.archive({"model.pkl": pickle.dumps(forest)})),
        container(deployer, "name", models.script_archive(NAME)),
    ]


def instances(server: RunningMoorage) -> list[Path]:
    """The folders of the endpoint's instances."""
    logs = server.data_dir / "logs" / server.region / "several" / "AllTraffic"
    named = {path.name.partition(".")[0] for path in logs.iterdir()}
    return [folder for folder in (server.data_dir / "instances").iterdir() if folder.name in named]


def refusal(deployer: Deployer, **arguments: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as caught:
        deployer.runtime.invoke_endpoint(EndpointName="several", **arguments)
    return dict(caught.value.response)


def test_rows_are_scaled_classified_and_named(deployer: Deployer) -> None:
    assert "InService" == several(deployer, flowers(deployer))
    rows = "\n".join(",".join(map(str, row)) for row in models.IRIS_ROWS).encode()
    answer = deployer.runtime.invoke_endpoint(
        EndpointName="several", Body=rows, ContentType="text/csv", Accept="text/plain"
    )
    scaler, forest = scaled_forest()
    expected = ",".join(SPECIES[label] for label in forest.predict(scaler.transform(models.IRIS_ROWS)))
    assert (expected, "text/plain") == (answer["Body"].read().decode(), answer["ContentType"])

    error = refusal(deployer, Body=b"1,2,3", ContentType="text/csv")
    assert error["Error"]["Message"].startswith("Received server error (500) from scale with message")
    assert error["LogStreamArn"].endswith("/scale")
    error = refusal(deployer, Body=b"<row/>", ContentType="application/xml")
    assert error["Error"]["Message"].startswith("Received client error (415) from scale with message")


def test_the_logs_are_by_container(deployer: Deployer, moorage_server: RunningMoorage) -> None:
    assert "InService" == several(deployer, flowers(deployer))
    streams = moorage_server.client("logs").describe_log_streams(logGroupName="/aws/sagemaker/Endpoints/several")
    (instance,) = [folder.name for folder in instances(moorage_server)]
    names = {stream["logStreamName"] for stream in streams["logStreams"]}
    assert {f"AllTraffic/{instance}/{name}" for name in ("scale", "forest", "name")} <= names


def test_containers_of_two_frameworks_are_asked_by_name(deployer: Deployer) -> None:
    xgboost = pytest.importorskip("xgboost", reason="the second framework is XGBoost")
    import numpy

    rows = numpy.array(models.IRIS_ROWS)
    booster = xgboost.train({"max_depth": 2}, xgboost.DMatrix(rows, label=[0.0, 1.0, 2.0]), num_boost_round=3)
    boosted = container(
        deployer,
        "boosted",
        models.archive({"xgboost-model": bytes(booster.save_raw("ubj"))}),
        Image=f"moorage/xgboost:{xgboost.__version__}",
    )
    forest = container(deployer, "forest", models.iris_archive())
    assert "InService" == several(deployer, [forest, boosted], "Direct")
    body = "\n".join(",".join(map(str, row)) for row in models.IRIS_ROWS).encode()

    def ask(name: str) -> str:
        answer = deployer.runtime.invoke_endpoint(
            EndpointName="several", TargetContainerHostname=name, Body=body, ContentType="text/csv", Accept="text/csv"
        )
        return str(answer["Body"].read().decode())

    labels = models.iris_forest().predict(rows).tolist()
    assert labels == [int(float(label)) for label in ask("forest").replace(",", "\n").split()]
    predicted = [float(value) for value in ask("boosted").replace(",", "\n").split()]
    assert predicted == pytest.approx(booster.predict(xgboost.DMatrix(rows)).tolist())

    for arguments, message in (
        ({}, "Endpoint several hosts containers in direct mode and requires"),
        ({"TargetContainerHostname": "trees"}, "Container trees of endpoint several of account"),
    ):
        error = refusal(deployer, Body=body, ContentType="text/csv", **arguments)["Error"]
        assert "ValidationError" == error["Code"]
        assert error["Message"].startswith(message)


def test_a_user_may_be_held_to_one_container(deployer: Deployer, moorage_server: RunningMoorage) -> None:
    assert "InService" == several(deployer, adding(deployer, "customIps1", "other"), "Direct")
    statement = {
        "Effect": "Allow",
        "Action": "sagemaker:InvokeEndpoint",
        "Resource": deployer.sagemaker.describe_endpoint(EndpointName="several")["EndpointArn"],
        "Condition": {"StringLike": {"sagemaker:TargetContainerHostname": ["customIps*"]}},
    }
    deployer.iam.create_user(UserName="narrow-caller")
    document = json.dumps({"Version": "2012-10-17", "Statement": statement})
    deployer.iam.put_user_policy(UserName="narrow-caller", PolicyName="invoke", PolicyDocument=document)
    key = deployer.iam.create_access_key(UserName="narrow-caller")["AccessKey"]
    runtime = moorage_server.client("sagemaker-runtime", key=key)

    def ask(**target: str) -> str:
        try:
            answer = runtime.invoke_endpoint(EndpointName="several", Body=b"x", ContentType="text/plain", **target)
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return str(answer["Body"].read().decode())

    assert "xcustomIps1" == ask(TargetContainerHostname="customIps1")
    assert "AccessDeniedException" == ask(TargetContainerHostname="other")
    assert "AccessDeniedException" == ask()


def test_the_command_line_asks_a_container_too(deployer: Deployer, moorage_server: RunningMoorage) -> None:
    assert "InService" == several(deployer, adding(deployer, "a", "b"), "Direct")
    arguments = ["--data-dir", str(moorage_server.data_dir), "several", "-d", "x", "--content-type", "text/plain"]
    answered = CliRunner().invoke(main, ["invoke", *arguments, "--target-container", "b"])
    assert (0, "xb") == (answered.exit_code, answered.stdout), answered
    refused = CliRunner().invoke(main, ["invoke", *arguments])
    assert 1 == refused.exit_code
    assert "Endpoint several hosts containers in direct mode" in refused.stderr


def test_one_container_of_a_pipeline_may_serve_many_models(deployer: Deployer) -> None:
    for name in ("one", "two"):
        archive = models.script_archive(ADD.format(name=name))
        deployer.s3.put_object(Bucket=BUCKET, Key=f"many/{name}.tar.gz", Body=archive)
    before, after = adding(deployer, "before", "after")
    many = {
        "ContainerHostname": "many",
        "Image": models.SKLEARN_IMAGE,
        "ModelDataUrl": f"s3://{BUCKET}/many/",
        "Mode": "MultiModel",
    }
    assert "InService" == several(deployer, [before, many, after])
    for name in ("one", "two", "one"):
        said = deployer.invoke("several", b"x-", ContentType="text/plain", TargetModel=f"{name}.tar.gz")
        assert f"x-before{name}after".encode() == said
    error = refusal(deployer, Body=b"x", ContentType="text/plain", TargetModel="three.tar.gz")
    assert "ValidationError" == error["Error"]["Code"]


def test_the_last_container_streams_to_the_caller(deployer: Deployer) -> None:
    """Each piece is made when the one before is here."""
    one_worker = {"SAGEMAKER_MODEL_SERVER_WORKERS": "1"}
    last = container(deployer, "counts", models.script_archive(COUNT), Environment=one_worker)
    assert "InService" == several(deployer, [*adding(deployer, "a"), last])
    stream = deployer.runtime.invoke_endpoint_with_response_stream(
        EndpointName="several", Body=b"x", ContentType="text/plain"
    )
    parts = []
    for event in stream["Body"]:
        parts.append(event["PayloadPart"]["Bytes"])
        assert b"so be it" == deployer.invoke("several", b"go on", ContentType="text/plain")
    assert [b"xa0", b"xa1", b"xa2"] == parts


def test_a_container_that_cannot_start_is_the_reason_why_the_endpoint_fails(deployer: Deployer) -> None:
    broken = container(deployer, "broken", models.script_archive("raise RuntimeError('no licence')"))
    assert "Failed" == several(deployer, [*adding(deployer, "a"), broken])
    reason = deployer.sagemaker.describe_endpoint(EndpointName="several")["FailureReason"]
    assert reason.startswith(
        "The broken container for production variant AllTraffic failed to start: RuntimeError: no licence"
    )


def test_answers_of_many_callers_do_not_mix(deployer: Deployer) -> None:
    assert "InService" == several(deployer, adding(deployer, "a", "b", "c"), instances=2)

    def ask(number: int) -> bytes:
        return deployer.invoke("several", b"%d" % number, ContentType="text/plain")

    with ThreadPoolExecutor(16) as pool:
        assert [b"%dabc" % number for number in range(400)] == list(pool.map(ask, range(400)))


def test_a_large_body_passes_all_containers(deployer: Deployer) -> None:
    assert "InService" == several(deployer, adding(deployer, "a", "b", "c"))
    body = b"0123456789abcdef" * (6_000_000 // 16)
    assert body + b"abc" == deployer.invoke("several", body, ContentType="text/plain")


@pytest.mark.slow
async def test_a_lone_model_becomes_a_pipeline_and_one_again_without_a_failure(
    deployer: Deployer, moorage_server: RunningMoorage
) -> None:
    deployer.model("lone", models.echo_archive("lone"))
    deployer.config("lone", "lone")
    assert "InService" == several(deployer, adding(deployer, "a", "b"))
    load = Load(moorage_server.target("several", content_type="text/plain", body=b"x"), rate=50.0)
    await load.until_answered(b"xab")
    for config, answer in (("lone", b"lone"), ("several", b"xab")):
        deployer.sagemaker.update_endpoint(EndpointName="several", EndpointConfigName=config)
        assert "InService" == await asyncio.to_thread(deployer.settled, "several")
        await load.until_answered(answer)
    report = await load.stop()
    assert [] == report.failures
    assert {b"xab", b"lone"} == {sample.body for sample in report.samples}
    deployer.delete("lone")


@pytest.mark.slow
@pytest.mark.parametrize("victim", ["front", "container"])
async def test_what_is_killed_under_load_comes_back_and_never_answers_by_halves(
    deployer: Deployer, moorage_server: RunningMoorage, victim: str
) -> None:
    assert "InService" == several(deployer, adding(deployer, "a", "b"), instances=2)
    folder, _ = instances(moorage_server)
    lock = folder / "lock" if victim == "front" else folder / "containers" / "2" / "lock"
    before = int(lock.read_text().splitlines()[1])
    load = Load(moorage_server.target("several", content_type="text/plain", body=b"x"), rate=100.0)
    await asyncio.to_thread(eventually, lambda: _is_untroubled(load))
    kill_for_good(before)
    await asyncio.to_thread(eventually, lambda: _pid(lock) not in (None, before))
    await asyncio.to_thread(eventually, lambda: _is_untroubled(load))
    report = await load.stop()
    assert {b"xab"} == {sample.body for sample in report.samples if sample.status == 200}
    assert {200, 424} >= set(report.statuses())
    for failure in report.failures:
        assert " from b with message" in json.loads(failure.body)["Message"] or victim == "front"


@pytest.mark.slow
async def test_an_agent_that_is_killed_under_load_is_not_noticed(tmp_path: Path) -> None:
    server = RunningMoorage(tmp_path / "data")
    server.start()
    try:
        deployer = Deployer(server)
        assert "InService" == several(deployer, adding(deployer, "a", "b"))
        before = sorted(server.pids("instance"))
        load = Load(server.target("several", content_type="text/plain", body=b"x"), rate=50.0)
        await load.until_answered(b"xab")
        await asyncio.to_thread(server.kill, "agent")
        await asyncio.to_thread(eventually, lambda: server.pids("agent"))
        await asyncio.sleep(2)
        report = await load.stop()
        assert [] == report.failures
        assert {b"xab"} == {sample.body for sample in report.samples}
        assert before == sorted(server.pids("instance"))
    finally:
        server.stop()
    assert [] == server.processes()


def _is_untroubled(load: Load) -> bool:
    """Whether the last second brought nothing but answers."""
    since = load.elapsed - 1.0
    recent = [sample.status for sample in load.report.samples if sample.due > since]
    return len(recent) > 50 and {200} == set(recent)


def _pid(lock: Any) -> int | None:
    try:
        return int(lock.read_text().splitlines()[1])
    except (OSError, IndexError):
        return None

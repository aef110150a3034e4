"""What a user is told when the model is at fault: the endpoint is Failed soon, the reason names the cause, the log has
the traceback."""

from __future__ import annotations

import io
import time
import zipfile

import pytest
from botocore.exceptions import ClientError

from moorage.testing.deployment import BUCKET, Deployer
from moorage.testing.models import SKLEARN_IMAGE, archive, echo_archive, script_archive
from moorage.testing.server import RunningMoorage

FAILED_WITHIN_S = 50.0

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = RunningMoorage(tmp_path_factory.mktemp("bad-models") / "data")
    server.start()
    # The nursery's import is not what these tests time.
    assert "InService" == Deployer(server).deploy("warm", echo_archive("warm"))
    yield server
    server.stop()
    assert [] == server.processes()


@pytest.fixture
def deployer(server):
    return Deployer(server)


@pytest.fixture(scope="module", autouse=True)
def hanging_since(server):
    """When the endpoint `hangs` began to load a model that never comes: its minute passes beside the other tests."""
    deployer = Deployer(server)
    deployer.model("hangs", script_archive("import time\ndef model_fn(folder):\n    time.sleep(600)\n"))
    deployer.config("hangs", "hangs", ContainerStartupHealthCheckTimeoutInSeconds=60)
    begun = time.monotonic()
    deployer.sagemaker.create_endpoint(EndpointName="hangs", EndpointConfigName="hangs")
    return begun


def _zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("model.pkl", b"x")
    return buffer.getvalue()


CASES = {
    "zip": (_zip(), ["gzip"], None),
    "truncated": (archive({"model.pkl": bytes(range(256)) * 4000})[:-2000], ["truncated"], None),
    "escaping": (archive({"../../escaped": b"x"}), ["../../escaped"], None),
    "absolute": (archive({"/tmp/absolute": b"x"}), ["/tmp/absolute"], None),
    "import-error": (
        script_archive("import no_such_module_here\n"),
        ["no_such_module_here", "inference.py"],
        "ModuleNotFoundError: No module named 'no_such_module_here'",
    ),
    "syntax-error": (script_archive("def model_fn(:\n"), ["SyntaxError", "inference.py"], "SyntaxError"),
    "no-model": (archive({"readme.txt": b"x"}), ["model.joblib", "model.pkl"], None),
    "corrupt-pickle": (archive({"model.pkl": b"not a pickle"}), ["model.pkl"], "Traceback"),
    "model-fn-raises": (
        script_archive("def model_fn(folder):\n    raise RuntimeError('weights are for another shape')\n"),
        ["RuntimeError", "weights are for another shape"],
        "Traceback",
    ),
    "dies-loading": (script_archive("import os\ndef model_fn(folder):\n    os._exit(3)\n"), ["3"], None),
}


@pytest.mark.parametrize("case", CASES)
def test_endpoint_fails_soon_and_names_the_cause(server, deployer, case):
    data, causes, logged = CASES[case]
    begun = time.monotonic()
    assert "Failed" == deployer.deploy(case, data)
    assert time.monotonic() - begun < FAILED_WITHIN_S
    reason = deployer.sagemaker.describe_endpoint(EndpointName=case)["FailureReason"]
    for cause in causes:
        assert cause in reason
    assert "Traceback" not in reason
    assert str(server.data_dir) not in reason
    if logged:
        assert logged in _log_of(server, case)
    deployer.sagemaker.delete_endpoint(EndpointName=case)
    assert "Deleted" == deployer.settled(case)


def test_create_model_refuses_an_artefact_that_is_not_there(deployer):
    with pytest.raises(ClientError) as caught:
        deployer.sagemaker.create_model(
            ModelName="absent",
            PrimaryContainer={"Image": SKLEARN_IMAGE, "ModelDataUrl": f"s3://{BUCKET}/absent.tar.gz"},
            ExecutionRoleArn=deployer.role_arn,
        )
    assert "ValidationException" == caught.value.response["Error"]["Code"]
    assert f"Could not access model data at s3://{BUCKET}/absent.tar.gz" in str(caught.value)


def test_an_image_nobody_can_run_is_named(deployer):
    status = deployer.deploy("odd-image", archive({"model.pkl": b"x"}), Image="example.com/own-image:1")
    assert "Failed" == status
    assert "example.com/own-image:1" in deployer.sagemaker.describe_endpoint(EndpointName="odd-image")["FailureReason"]


def test_a_failed_update_leaves_the_old_model_serving_and_says_why(server, deployer):
    assert "InService" == deployer.deploy(
        "steady",
        script_archive("def model_fn(f): return 1\ndef transform_fn(m, d, c, a): return 'old', 'text/plain'\n"),
    )
    deployer.model("broken", script_archive("import no_such_module_here\n"))
    deployer.config("broken", "broken")
    deployer.sagemaker.update_endpoint(EndpointName="steady", EndpointConfigName="broken")
    assert "InService" == deployer.settled("steady")
    described = deployer.sagemaker.describe_endpoint(EndpointName="steady")
    assert "steady" == described["EndpointConfigName"]
    assert "no_such_module_here" in described["FailureReason"]
    assert b"old" == deployer.invoke("steady", b"{}")


def test_a_model_that_does_not_answer_ping_fails_at_its_startup_timeout(deployer, hanging_since):
    assert "Failed" == deployer.settled("hangs", timeout_s=60 + FAILED_WITHIN_S)
    assert time.monotonic() - hanging_since >= 60
    reason = deployer.sagemaker.describe_endpoint(EndpointName="hangs")["FailureReason"]
    assert "did not pass the ping health check" in reason


def _log_of(server: RunningMoorage, endpoint: str) -> str:
    pages = server.client("logs").get_paginator("filter_log_events")
    found = pages.paginate(logGroupName=f"/aws/sagemaker/Endpoints/{endpoint}")
    return "\n".join(event["message"] for page in found for event in page["events"])

"""A model that remembers: its sessions stay on their instances, whatever becomes of the gateway's workers."""

from __future__ import annotations

import contextlib

import pytest
from botocore.exceptions import BotoCoreError

from moorage.testing.deployment import Deployer
from moorage.testing.models import script_archive
from moorage.testing.server import RunningMoorage, eventually

pytestmark = pytest.mark.slow

COUNTING = script_archive("""
import os
SESSIONS = {}

def model_fn(model_dir):
    return os.getpid()

def transform_fn(model, data, content_type, accept, context):
    session = context.get_request_header(0, "X-Amzn-SageMaker-Session-Id")
    if session == "NEW_SESSION":
        session = f"s{len(SESSIONS)}"
        SESSIONS[session] = 0
        context.set_response_header(0, "X-Amzn-SageMaker-New-Session-Id", f"{session}; Expires=2030-01-01T00:00:00Z")
    SESSIONS[session] += 1
    if data == "close":
        context.set_response_header(0, "X-Amzn-SageMaker-Closed-Session-Id", session)
    return f"{SESSIONS[session]} {model}", "text/plain"
""")


@pytest.fixture
def server(tmp_path):
    server = RunningMoorage(tmp_path / "data")
    server.start()
    yield server
    server.stop()


def test_a_session_outlives_the_gateways_workers_and_ends_with_its_instances(server):
    deployer = Deployer(server)
    assert "InService" == deployer.deploy("talk", COUNTING, instances=3)

    def say(session_id, data=b"more"):
        return deployer.runtime.invoke_endpoint(
            EndpointName="talk", SessionId=session_id, Body=data, ContentType="text/plain"
        )

    opened = [say("NEW_SESSION") for _ in range(6)]
    sessions = {answer["NewSessionId"].split(";")[0]: answer["Body"].read().split()[1] for answer in opened}
    assert 6 == len(sessions)
    for count in (2, 3):
        for session_id, instance in sessions.items():
            assert [b"%d" % count, instance] == say(session_id)["Body"].read().split()
        server.kill("gateway")
        eventually(lambda: _answers(deployer))
    for session_id in sessions:
        assert session_id == say(session_id, b"close")["ClosedSessionId"]

    deployer.model("next", COUNTING)
    deployer.config("next", "next")
    deployer.sagemaker.update_endpoint(EndpointName="talk", EndpointConfigName="next")
    assert "InService" == deployer.settled("talk")
    for session_id in sessions:
        with pytest.raises(deployer.runtime.exceptions.ValidationError, match=f"Session {session_id} of endpoint talk"):
            say(session_id)


def _answers(deployer):
    with contextlib.suppress(BotoCoreError):
        return deployer.sagemaker.list_endpoints()["Endpoints"]

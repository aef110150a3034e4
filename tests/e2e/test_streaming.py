"""Answers that come while the model makes them: as boto3 reads them, as curl does, and what is left of them when the
model, the caller or the deployment ends in between.

The clock of the models is the clock of this test: every piece says when it was made.
"""

from __future__ import annotations

import contextlib
import http.client
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import EventStreamError

from moorage.testing.deployment import Deployer
from moorage.testing.models import script_archive
from moorage.testing.raw_caller import RawCaller
from moorage.testing.server import RunningMoorage, eventually

pytestmark = pytest.mark.slow

ONE_WORKER = {"SAGEMAKER_MODEL_SERVER_WORKERS": "1"}
"""Who counts the closed streams is who is asked for their number."""
PIECES = 4
PAUSE_S = 0.4
LATE_S = PAUSE_S
"""A piece that took so long may have been held back until the next one was made."""

TALKER = f"""
import asyncio, time
def model_fn(model_dir):
    return {{"closed": 0}}
def transform_fn(model, body, content_type, accept):
    if body == "closed?":
        return str(model["closed"]), "text/plain"
    if body == "fail at once":
        return fail(), accept
    return (talk_async(body) if body == "async" else talk(model, body)), accept
def talk(model, body):
    try:
        for number in range({PIECES}):
            if number == 2 and body == "fail":
                raise LookupError("the thread is lost")
            yield f"{{time.monotonic()}}\\n"
            time.sleep({PAUSE_S})
    finally:
        model["closed"] += 1
async def talk_async(body):
    for number in range({PIECES}):
        yield f"{{time.monotonic()}}\\n"
        await asyncio.sleep({PAUSE_S})
def fail():
    raise LookupError("nothing to say")
    yield
"""


@pytest.fixture(scope="module")
def server(moorage_server: RunningMoorage) -> RunningMoorage:
    return moorage_server


@pytest.fixture(scope="module")
def deployer(server: RunningMoorage) -> Iterator[Deployer]:
    deployer = Deployer(server)
    assert "InService" == deployer.deploy("talker", script_archive(TALKER), Environment=ONE_WORKER)
    yield deployer
    deployer.sagemaker.delete_endpoint(EndpointName="talker")


def events(deployer: Deployer, request: bytes, **options: Any) -> Iterator[bytes]:
    """The payload parts of a streamed answer as they arrive."""
    answer = deployer.runtime.invoke_endpoint_with_response_stream(
        EndpointName="talker", Body=request, **{"ContentType": "text/plain", "Accept": "text/event-stream"} | options
    )
    assert ("text/event-stream", "AllTraffic") == (answer["ContentType"], answer["InvokedProductionVariant"])
    with contextlib.closing(answer["Body"]) as body:
        for event in body:
            yield event["PayloadPart"]["Bytes"]


def delays(pieces: Iterator[bytes]) -> list[float]:
    """How long each piece took from the model to here, in seconds."""
    return [time.monotonic() - float(piece) for piece in pieces]


@contextlib.contextmanager
def opened(server: RunningMoorage, path: str, body: bytes, accept: str) -> Iterator[http.client.HTTPResponse]:
    """An answer that has begun, as a client that knows no event streams has it."""
    caller = RawCaller(server)
    request = caller.signed("POST", path, body, headers={"Content-Type": "text/plain", "Accept": accept})
    connection = http.client.HTTPConnection(caller.host, timeout=20)
    try:
        connection.request("POST", path, body, dict(request.headers.items()))
        with connection.getresponse() as answer:
            yield answer
    finally:
        connection.close()


@pytest.mark.parametrize("body", [b"sync", b"async"])
def test_every_piece_arrives_while_the_next_is_being_made(deployer: Deployer, body: bytes) -> None:
    found = delays(events(deployer, body))

    assert PIECES == len(found)
    assert sorted(found)[PIECES // 2] < LATE_S  # all of them would be late if a piece waited for the next


def test_streams_of_one_instance_run_side_by_side(deployer: Deployer) -> None:
    """While one awaits, the others go on: one after the other they would take four times as long."""
    begun = time.monotonic()
    threads = [threading.Thread(target=lambda: list(events(deployer, b"async"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert time.monotonic() - begun < 2 * PIECES * PAUSE_S


def test_a_model_that_fails_half_way_ends_the_stream_with_an_exception(deployer: Deployer) -> None:
    pieces = events(deployer, b"fail")
    assert 2 == len([next(pieces), next(pieces)])
    with pytest.raises(EventStreamError, match="broke off") as caught:
        next(pieces)

    assert "ModelStreamError" == caught.value.response["Error"]["Code"]
    assert PIECES == len(delays(events(deployer, b"the next one")))


def test_a_model_that_fails_before_its_first_piece_is_a_model_error(deployer: Deployer) -> None:
    with pytest.raises(deployer.runtime.exceptions.ModelError) as caught:
        list(events(deployer, b"fail at once"))

    error = caught.value.response
    assert (424, 500) == (error["ResponseMetadata"]["HTTPStatusCode"], error["OriginalStatusCode"])
    assert "LookupError: nothing to say" in error["OriginalMessage"]


def test_a_stream_outlives_the_update_of_its_endpoint(deployer: Deployer) -> None:
    deployer.model("successor", script_archive(TALKER), Environment=ONE_WORKER)
    deployer.config("successor", "successor")
    pieces = events(deployer, b"talk")
    next(pieces)
    deployer.sagemaker.update_endpoint(EndpointName="talker", EndpointConfigName="successor")

    assert PIECES - 1 == len(list(pieces))
    assert "InService" == deployer.settled("talker")


PLAIN = [
    ("/endpoints/talker/invocations-response-stream", "text/event-stream"),
    ("/endpoints/talker/invocations", "text/event-stream"),
    ("/endpoints/talker/invocations", "application/x-ndjson"),
]


@pytest.mark.parametrize(("path", "accept"), PLAIN)
def test_without_event_streams_the_models_bytes_come_as_they_are(
    server: RunningMoorage, deployer: Deployer, path: str, accept: str
) -> None:
    with opened(server, path, b"talk", accept) as answer:
        assert (200, accept) == (answer.status, answer.getheader("Content-Type"))
        found = delays(iter(answer.readline, b""))

    assert PIECES == len(found)
    assert sorted(found)[PIECES // 2] < LATE_S  # all of them would be late if a piece waited for the next


@pytest.mark.parametrize(("path", "accept"), PLAIN)
def test_without_them_a_failure_cuts_the_connection(
    server: RunningMoorage, deployer: Deployer, path: str, accept: str
) -> None:
    with opened(server, path, b"fail", accept) as answer:
        assert 2 == len([answer.readline(), answer.readline()])
        with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
            answer.read()


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
@pytest.mark.parametrize(("body", "code", "lines"), [("talk", 0, PIECES), ("fail", 18, 2)])
def test_curl_sees_whether_the_answer_is_whole(
    server: RunningMoorage, deployer: Deployer, body: str, code: int, lines: int
) -> None:
    key = server.environment()
    done = subprocess.run(
        [
            *("curl", "--silent", "--no-buffer", "--aws-sigv4", f"aws:amz:{server.region}:sagemaker"),
            *("--user", f"{key['AWS_ACCESS_KEY_ID']}:{key['AWS_SECRET_ACCESS_KEY']}"),
            *("-H", "Accept: text/event-stream", "-H", "Content-Type: text/plain", "--data", body),
            f"{server.endpoint_url}/endpoints/talker/invocations-response-stream",
        ],
        capture_output=True,
        timeout=30,
    )

    assert (code, lines) == (done.returncode, done.stdout.count(b"\n")), done.stderr


@pytest.mark.parametrize("accept", ["text/event-stream", "*/*"])
def test_a_caller_that_leaves_ends_the_models_work(server: RunningMoorage, deployer: Deployer, accept: str) -> None:
    def closed() -> int:
        return int(deployer.invoke("talker", b"closed?", ContentType="text/plain"))

    before = closed()
    with opened(server, "/endpoints/talker/invocations-response-stream", b"talk", accept) as answer:
        assert answer.read(1)
    left = time.monotonic()

    eventually(lambda: closed() == before + 1)
    assert time.monotonic() - left < (PIECES - 1) * PAUSE_S

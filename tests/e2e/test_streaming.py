"""Answers that come while the model makes them: as boto3 reads them, as curl does, and what is left of them when the
model, the caller or the deployment ends in between.

Where it matters that a piece comes before the next is made, the model makes the next only when it is told to go on.
"""

from __future__ import annotations

import contextlib
import http.client
import shutil
import subprocess
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

TALKER = f"""
import asyncio, threading, time
def model_fn(model_dir):
    return {{"closed": 0, "gate": threading.Semaphore(0)}}
async def transform_fn(model, body, content_type, accept):
    if body == "closed?":
        return str(model["closed"]), "text/plain"
    if body == "go on":
        model["gate"].release()
        return "so be it", "text/plain"
    if body == "fail at once":
        return fail(), accept
    return (told_async(model) if body == "told, async" else talk(model, body)), accept
def talk(model, body):
    try:
        for number in range({PIECES} if body != "endless" else 1_000_000):
            if number == 2 and body == "fail":
                raise LookupError("the thread is lost")
            yield f"{{number}}\\n"
            model["gate"].acquire() if body == "told" else time.sleep({PAUSE_S})
    finally:
        model["closed"] += 1
async def told_async(model):
    for number in range({PIECES}):
        yield f"{{number}}\\n"
        while not model["gate"].acquire(blocking=False):
            await asyncio.sleep(0.01)
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
    for name in ("talker", "successor"):
        deployer.delete(name)


def events(deployer: Deployer, request: bytes, **options: Any) -> Iterator[bytes]:
    """The payload parts of a streamed answer as they arrive."""
    answer = deployer.runtime.invoke_endpoint_with_response_stream(
        EndpointName="talker", Body=request, **{"ContentType": "text/plain", "Accept": "text/event-stream"} | options
    )
    assert ("text/event-stream", "AllTraffic") == (answer["ContentType"], answer["InvokedProductionVariant"])
    with contextlib.closing(answer["Body"]) as body:
        for event in body:
            yield event["PayloadPart"]["Bytes"]


def lines(pieces: Iterator[bytes]) -> int:
    """What the model made, which is a line each: who reads late may get several in one."""
    return sum(piece.count(b"\n") for piece in pieces)


def go_on(deployer: Deployer) -> None:
    """Have one stream make its next piece."""
    assert b"so be it" == deployer.invoke("talker", b"go on", ContentType="text/plain")


def told(deployer: Deployer, pieces: Iterator[bytes]) -> int:
    """How many pieces come if each is made only when the one before is here. A piece that is held back never comes."""
    return sum(go_on(deployer) is None for _ in pieces)


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


@pytest.mark.parametrize("body", [b"told", b"told, async"])
def test_every_piece_arrives_before_the_next_is_made(deployer: Deployer, body: bytes) -> None:
    assert PIECES == told(deployer, events(deployer, body))


def test_streams_of_one_instance_run_side_by_side(deployer: Deployer) -> None:
    """While one awaits, the others begin: one after the other, the first would never end."""
    streams = [events(deployer, b"told, async") for _ in range(4)]
    assert [b"0\n"] * 4 == [next(pieces) for pieces in streams]
    for _ in range(4 * PIECES):
        go_on(deployer)
    assert [PIECES - 1] * 4 == [lines(pieces) for pieces in streams]


def test_a_model_that_fails_half_way_ends_the_stream_with_an_exception(deployer: Deployer) -> None:
    heard: list[bytes] = []
    with pytest.raises(EventStreamError, match="broke off") as caught:
        heard.extend(events(deployer, b"fail"))

    assert b"0\n1\n" == b"".join(heard)
    assert "ModelStreamError" == caught.value.response["Error"]["Code"]
    assert PIECES == lines(events(deployer, b"the next one"))


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
    heard = [next(pieces)]
    deployer.sagemaker.update_endpoint(EndpointName="talker", EndpointConfigName="successor")
    heard += pieces

    assert PIECES == lines(iter(heard))
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
    with opened(server, path, b"told", accept) as answer:
        assert (200, accept) == (answer.status, answer.getheader("Content-Type"))
        assert PIECES == told(deployer, iter(answer.readline, b""))


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
    with opened(server, "/endpoints/talker/invocations-response-stream", b"endless", accept) as answer:
        assert answer.read(1)

    eventually(lambda: closed() == before + 1)

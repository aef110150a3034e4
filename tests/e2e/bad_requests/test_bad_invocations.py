"""What cannot be invoked, and what a model may do wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Final

import pytest
from botocore.exceptions import ClientError

from moorage.testing.raw_caller import Heard, RawCaller
from moorage.testing.server import RunningMoorage, eventually

pytestmark = pytest.mark.slow

INVOCATION: Final = "/endpoints/bad/invocations"
PAYLOAD_BYTES_MAX: Final = 6_291_456

RUNTIME: Final = [
    (400, "ValidationError", "POST", "/endpoints/absent/invocations", {}),
    (400, "ValidationError", "POST", "/endpoints/Bad/invocations", {}),
    (400, "ValidationError", "POST", "/endpoints/a_b/invocations", {}),
    (400, "ValidationError", "POST", "/endpoints/a%2Fb/invocations", {}),
    (400, "ValidationError", "POST", "/endpoints/%00/invocations", {}),
    (400, "ValidationError", "POST", f"/endpoints/{'x' * 64}/invocations", {}),
    (400, "ValidationError", "POST", INVOCATION, {"X-Amzn-SageMaker-Target-Variant": "absent"}),
    (400, "ValidationError", "POST", INVOCATION, {"X-Amzn-SageMaker-Target-Model": "m.tar.gz"}),
    (400, "ValidationError", "POST", INVOCATION, {"X-Amzn-SageMaker-Custom-Attributes": "x" * 1025}),
    (400, "ValidationError", "POST", INVOCATION, {"X-Amzn-SageMaker-Inference-Id": "x" * 65}),
    (405, "UnknownOperationException", "GET", INVOCATION, {}),
    (404, "UnknownOperationException", "POST", "/endpoints/bad", {}),
    (501, "NotImplemented", "POST", "/endpoints/bad/async-invocations", {}),
]


@pytest.mark.parametrize(
    ("status", "code", "method", "path", "headers"), RUNTIME, ids=[f"{row[1]}-{i}" for i, row in enumerate(RUNTIME)]
)
def test_what_cannot_be_invoked(
    caller: RawCaller,
    ask: Callable[[bytes], Heard],
    status: int,
    code: str,
    method: str,
    path: str,
    headers: dict[str, str],
) -> None:
    heard = ask(caller.written(caller.signed(method, path, b"x", headers=headers)))

    assert (status, code, True) == (heard.status, heard.code, heard.is_kept)
    assert json.loads(heard.body)["Message"]


def test_the_largest_payload_passes_both_ways(abused: RunningMoorage) -> None:
    runtime = abused.client("sagemaker-runtime")
    sent = b"x" * PAYLOAD_BYTES_MAX

    assert sent == runtime.invoke_endpoint(EndpointName="bad", Body=sent)["Body"].read()
    assert b"" == runtime.invoke_endpoint(EndpointName="bad", Body=b"")["Body"].read()
    with pytest.raises(ClientError, match="RequestEntityTooLargeException"):
        runtime.invoke_endpoint(EndpointName="bad", Body=sent + b"x")


@pytest.mark.parametrize(
    ("original", "said", "body"),
    [
        (500, "RuntimeError: no good", b"raise:no good"),
        (500, "RuntimeError", b"raise:" + b"long " * 1000),
        (500, "RuntimeError", b"raise:\x00\x1b[31m\xc3\xa9"),
        (0, "larger than an invocation may return", b"bytes:6291457"),
        (0, "larger than an invocation may return", b"bytes:50000000"),
        (500, "the header content-type has to be one line", b'type:"text/plain\\r\\nSet-Cookie: a=b"'),
        (0, "the connection was closed before the answer was complete", b"exit:"),
    ],
)
def test_what_the_model_does_wrong_is_said_to_be_its_fault(
    abused: RunningMoorage, original: int, said: str, body: bytes
) -> None:
    runtime = abused.client("sagemaker-runtime")
    wait_for_an_instance(abused)
    with pytest.raises(runtime.exceptions.ModelError) as caught:
        runtime.invoke_endpoint(EndpointName="bad", Body=body)

    answer = caught.value.response
    assert (424, original) == (answer["ResponseMetadata"]["HTTPStatusCode"], answer["OriginalStatusCode"])
    assert said in answer["OriginalMessage"]
    assert len(answer["OriginalMessage"].encode()) <= 1024 + 3  # a character cut in two becomes U+FFFD
    assert "Traceback" not in answer["OriginalMessage"]
    assert "set-cookie" not in answer["ResponseMetadata"]["HTTPHeaders"]


def wait_for_an_instance(abused: RunningMoorage) -> None:
    """An instance that died is replaced after a pause that grows; until that is known, it may still be asked."""
    runtime = abused.client("sagemaker-runtime")

    def is_there() -> bool:
        try:
            runtime.invoke_endpoint(EndpointName="bad", Body=b"hello")
        except (runtime.exceptions.ServiceUnavailable, runtime.exceptions.ModelError):
            return False
        return True

    eventually(is_there)

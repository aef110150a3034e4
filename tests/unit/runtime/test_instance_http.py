"""What an instance answers, without a socket."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

pytest.importorskip("numpy")

from moorage.runtime.script import Hooks, adapt
from moorage.runtime.server import BODY_BYTES_MAX, ModelHandler
from moorage.runtime.toolkit import LoadedModel
from moorage.wire.messages import BodyTooLarge


@dataclass
class Asked:
    """A request whose body is here already."""

    method: bytes
    path: bytes
    body: bytes = b""
    headers: list[tuple[bytes, bytes]] = field(default_factory=lambda: [(b"content-type", b"text/plain")])

    async def read(self, limit: int) -> bytes:
        if len(self.body) > limit:
            raise BodyTooLarge
        return self.body


def transform(model, body, content_type, accept, context):
    if body == "fail":
        raise LookupError("no such thing")
    context.set_response_header(0, "X-Own", "1")
    return body.upper(), "text/plain"


@pytest.fixture
def handler():
    with ThreadPoolExecutor(1) as worker:
        yield ModelHandler(LoadedModel(None, Hooks(transform_fn=adapt(transform, 4)), Path("/m")), worker)


async def test_ping_is_empty_and_200(handler):
    answer = await handler(Asked(b"GET", b"/ping"))
    assert (200, b"") == (answer.status, answer.body)


async def test_an_invocation(handler):
    answer = await handler(Asked(b"POST", b"/invocations", b"hello"))
    assert (200, b"HELLO") == (answer.status, answer.body)
    assert [(b"content-type", b"text/plain"), (b"X-Own", b"1")] == answer.headers


async def test_a_fault_of_the_model_is_500_with_its_name_and_the_traceback_in_the_log(handler, capsys):
    answer = await handler(Asked(b"POST", b"/invocations", b"fail"))
    assert (500, {"error": "LookupError: no such thing"}) == (answer.status, json.loads(answer.body))
    assert "Traceback" in capsys.readouterr().err


async def test_the_log_says_whose_request_failed(handler, capsys):
    await handler(
        Asked(b"POST", b"/invocations", b"fail", [(b"content-type", b"text/plain"), (b"x-amzn-requestid", b"r-1")])
    )
    assert "moorage: answered 500 to r-1: LookupError: no such thing" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        (b"POST", b"/ping", 405, b"GET"),
        (b"GET", b"/invocations", 405, b"POST"),
        (b"HEAD", b"/ping", 405, b"GET"),
        (b"GET", b"/", 404, None),
        (b"GET", b"/ping/", 404, None),
    ],
)
async def test_everything_else_is_refused(handler, method, path, status, allow):
    answer = await handler(Asked(method, path))
    assert (status, allow) == (answer.status, dict(answer.headers).get(b"allow"))


async def test_a_body_beyond_the_limit_is_not_handed_to_the_model(handler):
    with pytest.raises(BodyTooLarge):
        await handler(Asked(b"POST", b"/invocations", bytes(BODY_BYTES_MAX + 1)))

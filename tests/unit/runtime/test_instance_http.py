"""What an instance answers, without a socket."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

pytest.importorskip("numpy")

from asking import Asked, Asker, asking, fields_of

from moorage.runtime.frameworks.estimator import EstimatorModel
from moorage.runtime.script import Hooks, adapt
from moorage.runtime.settings import Settings
from moorage.runtime.toolkit import LoadedModel


def transform(model, body, content_type, accept, context):
    if body == "fail":
        raise LookupError("no such thing")
    context.set_response_header(0, "X-Own", "1")
    return body.upper(), "text/plain"


SETTINGS = Settings(body_bytes_max=1_000_000)


@pytest.fixture
async def ask() -> AsyncIterator[Asker]:
    hooks = Hooks(transform_fn=adapt(transform, 4))
    with asking(LoadedModel(EstimatorModel(None), hooks, Path("/m"), SETTINGS, print)) as ask:
        yield ask


async def test_ping_is_empty_and_200(ask):
    answer = await ask(Asked(b"GET", b"/ping"))
    assert (200, b"") == (answer.status, answer.body)


async def test_an_invocation(ask):
    answer = await ask(Asked(b"POST", b"/invocations", b"hello"))
    assert (200, b"HELLO") == (answer.status, answer.body)
    assert [(b"content-type", b"text/plain"), (b"X-Own", b"1")] == answer.headers


async def test_a_fault_of_the_model_is_500_with_its_name_and_the_traceback_in_the_log(ask, capsys):
    answer = await ask(Asked(b"POST", b"/invocations", b"fail"))
    assert (500, {"error": "LookupError: no such thing"}) == (answer.status, json.loads(answer.body))
    assert "Traceback" in capsys.readouterr().err


async def test_the_log_says_whose_request_failed(ask, capsys):
    await ask(
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
async def test_everything_else_is_refused(ask, method, path, status, allow):
    answer = await ask(Asked(method, path))
    assert (status, allow) == (answer.status, fields_of(answer).get(b"allow"))


@pytest.mark.parametrize(("size", "status"), [(1_000_000, 200), (1_000_001, 413)])
async def test_a_body_beyond_the_limit_is_not_handed_to_the_model(ask: Asker, size: int, status: int) -> None:
    answer = await ask(Asked(b"POST", b"/invocations", bytes(size), is_late=True))
    assert status == answer.status

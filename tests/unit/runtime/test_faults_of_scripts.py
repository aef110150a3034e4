"""Whatever a script's hook does, its caller gets a status, and everybody else is answered."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

pytest.importorskip("numpy")

from asking import Asked, Asker, asking

from moorage.runtime.frameworks.estimator import EstimatorModel
from moorage.runtime.script import hooks_of
from moorage.runtime.settings import Settings
from moorage.runtime.toolkit import LoadedModel

JSON = [(b"content-type", b"application/json")]


class Panic(BaseException):
    """As PyO3 raises for what panics in Rust, in tokenizers for one: not an Exception."""


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("not even its message can be had")


FAULTS = [
    (Panic("out of bounds"), "RuntimeError: Panic: out of bounds"),
    (SystemExit(3), "RuntimeError: The model's code called sys.exit(3)"),
    (KeyboardInterrupt(), "RuntimeError: KeyboardInterrupt"),
    (asyncio.CancelledError(), "RuntimeError: CancelledError"),
    (RuntimeError("half a pair: \ud800"), "RuntimeError: half a pair: \ud800"),
    (Unspeakable(), "Unspeakable"),
]


def fails(data: Any, error: BaseException) -> Any:
    """What hooks here do for the request 1, and only for that."""
    if data == 1:
        raise error
    return data


def read(body: str, _content_type: str) -> Any:
    return json.loads(body)


def alone(error: BaseException) -> dict[str, Any]:
    return {"input_fn": read, "predict_fn": lambda data, model: fails(data, error)}


def asynchronous(error: BaseException) -> dict[str, Any]:
    async def predict_fn(data: Any, model: Any) -> Any:
        await asyncio.sleep(0)
        return fails(data, error)

    return {"input_fn": read, "predict_fn": predict_fn}


def beside_an_asynchronous_one(error: BaseException) -> dict[str, Any]:
    async def predict_fn(data: Any, model: Any) -> Any:
        return data

    return {"input_fn": lambda body, _: fails(read(body, ""), error), "predict_fn": predict_fn}


def in_a_generator(error: BaseException) -> dict[str, Any]:
    def predict_fn(data: Any, model: Any) -> Iterator[str]:
        yield str(fails(data, error))

    return {"input_fn": read, "predict_fn": predict_fn}


def in_an_asynchronous_generator(error: BaseException) -> dict[str, Any]:
    def predict_fn(data: Any, model: Any) -> AsyncIterator[str]:
        async def pieces() -> AsyncIterator[str]:
            yield str(fails(data, error))

        return pieces()

    return {"input_fn": read, "predict_fn": predict_fn}


def scripted(hooks: dict[str, Any]) -> LoadedModel:
    script = ModuleType("inference")
    vars(script).update(hooks)
    return LoadedModel(EstimatorModel("the model"), hooks_of(script), Path("/m"), Settings(), print)


async def answers_to(ask: Asker, *bodies: bytes) -> list[tuple[int, Any]]:
    """Status and content, of requests that come at once."""

    async def answer_to(body: bytes) -> tuple[int, Any]:
        status, _, content = await ask.invoke(body, content_type="application/json")
        return status, json.loads(content)

    return await asyncio.gather(*map(answer_to, bodies))


@pytest.mark.parametrize(("error", "sentence"), FAULTS, ids=lambda value: value if isinstance(value, str) else "")
@pytest.mark.parametrize(
    "hooks", [alone, asynchronous, beside_an_asynchronous_one, in_a_generator, in_an_asynchronous_generator]
)
async def test_a_fault_fails_its_caller_alone(
    hooks: Callable[[BaseException], dict[str, Any]], error: BaseException, sentence: str
) -> None:
    with asking(scripted(hooks(error))) as ask:
        answers = await answers_to(ask, b"0", b"1", b"2")
        after = await answers_to(ask, b"3")
    assert [(200, 0), (500, {"error": sentence}), (200, 2)] == answers
    assert [(200, 3)] == after


async def test_a_hook_that_runs_out_of_items_fails_its_caller_alone() -> None:
    with asking(scripted(beside_an_asynchronous_one(StopIteration()))) as ask:
        statuses = [status for status, _ in await answers_to(ask, b"0", b"1", b"2")]
    assert [200, 500, 200] == statuses


async def test_a_stream_that_panics_later_is_broken_by_an_exception() -> None:
    def predict_fn(data: Any, model: Any) -> Iterator[str]:
        yield "first"
        raise Panic("later")

    with asking(scripted({"predict_fn": predict_fn})) as ask:
        answer = await ask(Asked(b"POST", b"/invocations", b"[1]", JSON))
        assert not isinstance(answer.body, bytes)
        assert b"first" == await anext(answer.body)
        with pytest.raises(RuntimeError, match="Panic: later"):
            await anext(answer.body)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("X-Own", 5, "TypeError: the header X-Own has to be text and is 5"),
        (
            "X-Own",
            "a\r\nb: c",
            "ValueError: the header X-Own has to be one line of printable text and is 'a\\r\\nb: c'",
        ),
        ("X-Own", "\ud800", "ValueError: the header X-Own has to be one line of printable text and is '\\ud800'"),
        ("X Own", "a", "ValueError: 'X Own' is no header that an answer can be given"),
        ("Content-Length", "5", "ValueError: 'Content-Length' is no header that an answer can be given"),
        (None, "a", "ValueError: None is no header that an answer can be given"),
    ],
)
async def test_a_header_that_cannot_be_sent_fails_its_caller_alone(name: Any, value: Any, sentence: str) -> None:
    def output_fn(prediction: Any, accept: str, context: Any) -> str:
        if prediction == 1:
            context.set_response_header(0, name, value)
        return str(prediction)

    hooks = {"input_fn": read, "predict_fn": lambda data, model: data, "output_fn": output_fn}
    with asking(scripted(hooks)) as ask:
        assert [(200, 0), (500, {"error": sentence}), (200, 2)] == await answers_to(ask, b"0", b"1", b"2")


@pytest.mark.parametrize("value", [5, "text/plain\nx: y"])
async def test_a_content_type_that_cannot_be_sent_fails_its_caller_alone(value: Any) -> None:
    def output_fn(prediction: Any, accept: str, context: Any) -> Any:
        if prediction == 1:
            context.set_response_content_type(0, value)
        return ("2", str(value)) if prediction == 2 and isinstance(value, str) else str(prediction)

    hooks = {"input_fn": read, "predict_fn": lambda data, model: data, "output_fn": output_fn}
    with asking(scripted(hooks)) as ask:
        statuses = [status for status, _ in await answers_to(ask, b"0", b"1", b"2")]
    assert [200, 500, 500 if isinstance(value, str) else 200] == statuses


async def test_a_content_type_may_be_set_as_a_header() -> None:
    def output_fn(prediction: Any, accept: str, context: Any) -> str:
        context.set_response_header(0, "Content-Type", "text/html")
        return "<p>"

    with asking(scripted({"predict_fn": lambda data, model: data, "output_fn": output_fn})) as ask:
        answer = await ask(Asked(b"POST", b"/invocations", b"[1]", JSON))
    assert [(b"content-type", b"text/html")] == answer.headers

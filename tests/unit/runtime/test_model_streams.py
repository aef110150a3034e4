"""Generators as answers: who runs their steps, when they may still be refused, and that they are closed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("numpy")

from asking import asking

from moorage.runtime.frameworks.estimator import EstimatorModel
from moorage.runtime.script import Hooks, adapt
from moorage.runtime.settings import Settings
from moorage.runtime.streaming import Stream, open_stream
from moorage.runtime.toolkit import LoadedModel


@pytest.fixture
def worker() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1, thread_name_prefix="model") as worker:
        yield worker


async def asynchronous(*pieces: Any) -> AsyncIterator[Any]:
    for piece in pieces:
        yield piece


async def rest(stream: Stream) -> list[bytes]:
    return [piece async for piece in stream]


@pytest.mark.parametrize("pieces", [["a", b"b", bytearray(b"c")], [], ["", "é"]])
async def test_text_and_bytes_go_out_as_bytes(worker: ThreadPoolExecutor, pieces: list[Any]) -> None:
    expected = b"".join(piece.encode() if isinstance(piece, str) else bytes(piece) for piece in pieces)

    assert expected == b"".join(await rest(await open_stream(iter(pieces), worker)))
    assert expected == b"".join(await rest(await open_stream(asynchronous(*pieces), worker)))


async def test_every_step_runs_in_the_models_thread(worker: ThreadPoolExecutor) -> None:
    threads: list[str] = []

    def generate() -> Iterator[str]:
        try:
            for _ in range(3):
                threads.append(threading.current_thread().name)
                yield "x"
        finally:
            threads.append(threading.current_thread().name)

    stream = await open_stream(generate(), worker)
    assert [b"x"] == [await anext(stream)]
    await stream.aclose()

    assert ["model_0"] == list(dict.fromkeys(threads))
    assert 2 == len(threads)  # it was left at its first piece


async def test_streams_take_turns(worker: ThreadPoolExecutor) -> None:
    """A stream that waits for its caller keeps nobody from the model."""
    first = await open_stream(iter("ab"), worker)
    second = await open_stream(iter("cd"), worker)

    assert [b"c", b"a", b"d", b"b"] == [await anext(stream) for stream in (second, first, second, first)]


async def test_a_slow_step_does_not_stop_the_loop(worker: ThreadPoolExecutor) -> None:
    may_go_on = threading.Event()

    def generate() -> Iterator[str]:
        yield "first"
        assert may_go_on.wait(60)
        yield "second"

    stream = await open_stream(generate(), worker)
    await anext(stream)
    waiting = asyncio.create_task(rest(stream))
    await asyncio.sleep(0)
    may_go_on.set()  # the loop got to this line while the step was waiting for it

    assert [b"second"] == await waiting


async def test_what_fails_before_the_first_piece_fails_the_opening(worker: ThreadPoolExecutor) -> None:
    for pieces in (iter([1]), asynchronous(1), (1 / 0 for _ in "x")):
        with pytest.raises((TypeError, ZeroDivisionError)):
            await open_stream(pieces, worker)


@pytest.mark.parametrize("second", [3, None])
async def test_what_fails_later_is_logged_and_breaks_the_body(
    worker: ThreadPoolExecutor, second: object, capsys: pytest.CaptureFixture[str]
) -> None:
    for pieces in (iter(["a", second]), asynchronous("a", second)):
        stream = await open_stream(pieces, worker)
        assert b"a" == await anext(stream)
        with pytest.raises(TypeError, match="not of"):
            await anext(stream)
        assert "TypeError: A streamed answer is made of text or bytes" in capsys.readouterr().err


async def test_a_caller_that_leaves_closes_the_generator(worker: ThreadPoolExecutor) -> None:
    closed: list[str] = []

    def generate() -> Iterator[str]:
        try:
            yield from "abc"
        finally:
            closed.append("sync")

    async def generate_async() -> AsyncIterator[str]:
        try:
            yield "a"
            yield "b"
        finally:
            closed.append("async")

    for pieces in (generate(), generate_async()):
        stream = await open_stream(pieces, worker)
        await anext(stream)
        await stream.aclose()

    assert ["sync", "async"] == closed


async def test_a_fault_while_closing_is_only_logged(
    worker: ThreadPoolExecutor, capsys: pytest.CaptureFixture[str]
) -> None:
    def generate() -> Iterator[str]:
        try:
            yield "a"
        finally:
            raise LookupError("too late")

    await (await open_stream(generate(), worker)).aclose()

    assert "LookupError: too late" in capsys.readouterr().err


def transform(model: Any, body: str, content_type: str, accept: str, context: Any) -> Iterator[str]:
    if body == "fail":
        raise LookupError("no such thing")
    context.set_response_content_type(0, "text/event-stream")
    context.set_response_header(0, "X-Own", "1")
    yield from body


def output(prediction: Any, accept: str) -> Any:
    return (f"{number};" for number in prediction), "text/plain"


def predict(data: Any, model: Any) -> Iterator[str]:
    return (f"{number}\n" for number in data.ravel())


async def ask(hooks: Hooks, body: bytes, **headers: str) -> tuple[int, Any, bytes]:
    with asking(LoadedModel(EstimatorModel(None), hooks, Path("/m"), Settings(), print)) as ask:
        return await ask.invoke(body, **headers)


async def test_a_transform_may_be_a_generator_and_set_its_type_in_it() -> None:
    hooks = Hooks(transform_fn=adapt(transform, 4))

    assert (200, {b"content-type": b"text/event-stream", b"X-Own": b"1"}, b"hello") == await ask(
        hooks, b"hello", content_type="text/plain"
    )
    status, _, said = await ask(hooks, b"fail", content_type="text/plain")
    assert (500, b'{"error":"LookupError: no such thing"}') == (status, said)


async def test_output_and_prediction_may_be_generators() -> None:
    from_output = Hooks(
        predict_fn=adapt(lambda data, model: data[0].tolist(), 2),
        output_fn=adapt(output, 2),
    )
    assert (200, {b"content-type": b"text/plain"}, b"1;2;") == await ask(from_output, b"[[1, 2]]")
    from_prediction = Hooks(predict_fn=adapt(predict, 2))
    assert (200, {b"content-type": b"application/json"}, b"1\n2\n") == await ask(from_prediction, b"[1, 2]")

"""Hooks that are `async def`: many calls at a time, and the thread for what is not."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

pytest.importorskip("numpy")

from asking import Asked, asking

from moorage.runtime.failures import ModelUnusable
from moorage.runtime.frameworks.estimator import EstimatorModel
from moorage.runtime.script import hooks_of
from moorage.runtime.settings import Settings
from moorage.runtime.toolkit import LoadedModel


def scripted(**hooks: Any) -> LoadedModel:
    script = ModuleType("inference")
    vars(script).update(hooks)
    return LoadedModel(EstimatorModel("the model"), hooks_of(script), Path("/m"), Settings(), print)


def request(body: bytes) -> Asked:
    return Asked(b"POST", b"/invocations", body, [(b"content-type", b"application/json")])


async def test_calls_wait_for_each_other_side_by_side() -> None:
    together = asyncio.Event()
    begun: list[str] = []

    async def transform_fn(model: Any, data: str, content_type: str, accept: str) -> str:
        begun.append(data)
        if len(begun) == 3:
            together.set()
        await together.wait()
        return f"{model}: {data}"

    with asking(scripted(transform_fn=transform_fn)) as ask:
        answers = await asyncio.gather(*(ask(request(b"%d" % number)) for number in range(3)))
    assert [b"the model: %d" % number for number in range(3)] == [answer.body for answer in answers]


async def test_other_hooks_run_in_the_models_thread() -> None:
    threads: dict[str, str] = {}

    def input_fn(body: str, content_type: str) -> str:
        threads["input"] = threading.current_thread().name
        return body

    async def predict_fn(data: str, model: Any, context: Any) -> dict[str, str]:
        threads["predict"] = threading.current_thread().name
        await asyncio.sleep(0)
        context.set_response_header(0, "X-Own", "1")
        return {"said": data}

    with asking(scripted(input_fn=input_fn, predict_fn=predict_fn)) as ask:
        status, fields, body = await ask.invoke(b"hello", content_type="text/plain")
    assert (200, b"1", b'{"said":"hello"}') == (status, fields[b"X-Own"], body)
    assert {"input": "model_0", "predict": threading.current_thread().name} == threads


async def test_the_default_steps_between_them() -> None:
    async def output_fn(prediction: Any, accept: str) -> tuple[str, str]:
        return str(prediction), "text/plain"

    class Summing:
        def predict(self, data: Any) -> Any:
            return int(data.sum())

    model = LoadedModel(EstimatorModel(Summing()), scripted(output_fn=output_fn).hooks, Path("/m"), Settings(), print)
    with asking(model) as ask:
        assert (200, b"6") == (await ask.invoke(b"[[1, 2, 3]]"))[::2]


@pytest.mark.parametrize(("error", "status"), [(ValueError("no"), 400), (KeyError("no"), 500)])
async def test_faults_are_told_apart_as_ever(error: Exception, status: int) -> None:
    async def input_fn(body: str, content_type: str) -> str:
        raise error

    with asking(scripted(input_fn=input_fn)) as ask:
        assert status == (await ask.invoke(b"1"))[0]


async def test_an_asynchronous_hook_may_stream() -> None:
    async def predict_fn(data: Any, model: Any) -> Any:
        return (f"{number} " for number in range(3))

    with asking(scripted(predict_fn=predict_fn)) as ask:
        assert (200, b"0 1 2 ") == (await ask.invoke(b"[1]"))[::2]


async def test_a_caller_that_leaves_ends_its_call() -> None:
    ended = asyncio.Event()

    async def transform_fn(model: Any, data: str, content_type: str, accept: str) -> str:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return ""

    with asking(scripted(transform_fn=transform_fn)) as ask:
        replied = ask.begin(request(b"1"))
        await asyncio.sleep(0)
        assert replied.going_on is not None
        replied.going_on.cancel()
        await asyncio.wait_for(ended.wait(), 10)


def test_a_model_is_not_loaded_asynchronously() -> None:
    async def model_fn(folder: str) -> None: ...

    with pytest.raises(ModelUnusable, match="model_fn is an async def"):
        scripted(model_fn=model_fn)

"""What the annex answers the instance: the contract for containers, and a little more. A model's name is a number.

POST   /models             load a model; 500 with the reason if it is broken, 507 for want of memory
POST   /models/{n}/invoke  a request of a caller's
POST   /models/{n}/judge   a `Verdict` on whether the model may be compiled, or null
DELETE /models/{n}         forget a model; requests at it are finished
POST   /memory/{what}      `trim` or `collect`, see `memory`
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import Final

import msgspec

from moorage.runtime.multi_model import memory
from moorage.runtime.multi_model.faults import Broken
from moorage.runtime.multi_model.kind import FrameworkModels
from moorage.runtime.multi_model.messages import json_response, read_json
from moorage.runtime.replies import render
from moorage.runtime.toolkit import LoadedModel
from moorage.wire.messages import Begin, Cancellable, Refused, Reply, Request, Response
from moorage.wire.server import Tasks

DONE: Final = 200
BROKEN: Final = 500
NO_MEMORY: Final = 507

_MEMORY: Final[Mapping[bytes, Callable[[], None]]] = {b"trim": memory.trim, b"collect": memory.collect}


class Lodger(msgspec.Struct, frozen=True):
    """A model to load."""

    number: int
    name: str
    """As callers know it: for the log."""
    folder: str


class Rooms:
    """The models of the annex. It is what begins all requests there."""

    def __init__(self, kind: FrameworkModels, threads: Executor) -> None:
        self._kind = kind
        self._threads = threads
        self._models: dict[bytes, tuple[str, LoadedModel, Begin]] = {}
        self._tasks = Tasks(self._answer, render)

    def __call__(self, request: Request, reply: Reply) -> Cancellable | None:
        _, _, number, act = _parts(request.path)
        if act == b"invoke" and number in self._models:
            return self._models[number][2](request, reply)
        return self._tasks(request, reply)

    async def _answer(self, request: Request) -> Response:
        _, folder, number, act = _parts(request.path)
        match request.method, folder, act:
            case b"POST", b"models", b"":
                return await self._load(await read_json(request, Lodger))
            case b"POST", b"models", b"judge" if number in self._models:
                name, model, _ = self._models[number]
                return json_response(DONE, await self._kind.judge(name, model))
            case b"DELETE", b"models", b"":
                self._threads.submit([self._models.pop(number, None)].clear)  # it may take long to free
                return json_response(DONE, {})
            case b"POST", b"memory", b"" if number in _MEMORY:
                await asyncio.get_running_loop().run_in_executor(self._threads, _MEMORY[number])
                return json_response(DONE, {})
        raise Refused(404, f"there is no {request.method.decode()} {request.path.decode('latin-1')}")

    async def _load(self, lodger: Lodger) -> Response:
        try:
            model = await self._kind.load(lodger.name, Path(lodger.folder))
        except Broken as error:
            return Response(BROKEN, body=str(error).encode(errors="backslashreplace"))
        except MemoryError:
            return Response(NO_MEMORY)
        self._models[b"%d" % lodger.number] = lodger.name, model, self._kind.serve(model)
        return json_response(DONE, {})


def _parts(path: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    """`/models/17/invoke` in four, the first of which is empty; what is not there is empty as well."""
    first, folder, number, act = (*path.split(b"/", 3), b"", b"", b"")[:4]
    return first, folder, number, act

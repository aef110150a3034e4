"""The admin socket: control says that the routes have changed, and asks when instances are free of requests.

The supervisor asks too: whether a worker has its routes, and whether it still answers at all.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from moorage.core.model import InstanceId
from moorage.gateway.tables import Tables
from moorage.system.snapshot import SnapshotInvalid
from moorage.wire.messages import HeaderList, Request, Response

_QUESTION_BYTES_MAX: Final = 1_048_576
_JSON: Final[HeaderList] = [(b"Content-Type", b"application/json")]


class DrainQuestion(msgspec.Struct, frozen=True):
    """`POST /drain`."""

    instances: list[InstanceId]
    timeout_s: float


class Admin:
    """Answers on the admin socket. `reload` reads the snapshot again and installs it; it raises SnapshotInvalid."""

    def __init__(self, tables: Tables, reload: Callable[[], Awaitable[None]]) -> None:
        self._tables = tables
        self._reload = reload
        self._actions = {
            b"/status": self._answer_status,
            b"/reload": self._answer_reload,
            b"/drain": self._answer_drain,
        }

    async def handle(self, request: Request) -> Response:
        """Answer one question."""
        action = self._actions.get(request.path)
        if action is None:
            return _answer(404, {"message": "There is no such question."})
        if request.method != b"POST":
            return _answer(405, {"message": "Questions are asked with POST."})
        return await action(await request.read(_QUESTION_BYTES_MAX))

    async def _answer_status(self, _body: bytes) -> Response:
        return _answer(200, {"version": self._tables.routes.version if self._tables.routes else 0})

    async def _answer_reload(self, body: bytes) -> Response:
        try:
            await self._reload()
        except SnapshotInvalid as error:
            return _answer(500, {"message": str(error)})
        return await self._answer_status(body)

    async def _answer_drain(self, body: bytes) -> Response:
        try:
            question = msgspec.json.decode(body, type=DrainQuestion)
        except msgspec.MsgspecError as error:
            return _answer(400, {"message": str(error)})
        drained = await self._tables.live.drain(question.instances, timeout_s=question.timeout_s)
        return _answer(200, {"drained": drained})


def _answer(status: int, content: dict[str, object]) -> Response:
    return Response(status, _JSON, msgspec.json.encode(content))

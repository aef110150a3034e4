"""Ask an instance's router without a socket."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from moorage.runtime.dispatch import Dispatcher
from moorage.runtime.model_thread import ModelThread
from moorage.runtime.server import Invocations, Router, routes_of
from moorage.runtime.toolkit import LoadedModel
from moorage.wire.messages import BodyTooLarge, Cancellable, HeaderList, Response


@dataclass
class Asked:
    """A request. Its body is at hand, or if it `is_late`, to be read."""

    method: bytes
    path: bytes
    body: bytes = b""
    headers: HeaderList = field(default_factory=lambda: [(b"content-type", b"text/plain")])
    is_late: bool = False

    @property
    def content(self) -> bytes | None:
        return None if self.is_late else self.body

    @property
    def fields(self) -> Mapping[bytes, bytes]:
        return dict(self.headers)

    async def read(self, limit: int) -> bytes:
        if len(self.body) > limit:
            raise BodyTooLarge
        return self.body


class Replied:
    """Where one answer goes."""

    def __init__(self) -> None:
        self.answer: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        self.going_on: Cancellable | None = None

    def respond(self, response: Response) -> None:
        self.answer.set_result(response)

    def abort(self) -> None:
        self.answer.cancel()


class Asker:
    """A model behind an instance's router."""

    def __init__(self, model: LoadedModel, thread: ModelThread) -> None:
        self.router = Router(routes_of(Invocations(Dispatcher(model, thread))))

    def begin(self, request: Asked) -> Replied:
        replied = Replied()
        replied.going_on = self.router(request, replied)  # type: ignore[arg-type]
        return replied

    async def __call__(self, request: Asked) -> Response:
        return await self.begin(request).answer

    async def invoke(self, body: bytes, **headers: str) -> tuple[int, dict[bytes, bytes], bytes]:
        """Status, header fields and whole body."""
        listed = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        answer = await self(Asked(b"POST", b"/invocations", body, listed))
        made = answer.body if isinstance(answer.body, bytes) else b"".join([piece async for piece in answer.body])
        return answer.status, fields_of(answer), made


def fields_of(answer: Response) -> dict[bytes, bytes]:
    """The header fields of an answer, also those given as they go out."""
    if not isinstance(answer.headers, bytes):
        return dict(answer.headers)
    name, _, value = answer.headers.removesuffix(b"\r\n").partition(b": ")
    return {name: value}


@contextmanager
def asking(model: LoadedModel) -> Iterator[Asker]:
    """To be entered on a running event loop."""
    with ModelThread() as thread:
        yield Asker(model, thread)

"""Requests to one of the models: begun at once if it is loaded, else when it is.

A loaded model costs a request a look in a dictionary. Its use counts until the answer has gone out.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from moorage.runtime.multi_model.faults import REFUSAL, Broken, NotServed
from moorage.runtime.multi_model.models import Models
from moorage.runtime.multi_model.room import Loaded
from moorage.runtime.multi_model.shelf import Slot
from moorage.runtime.replies import failure
from moorage.wire.messages import Cancellable, Reply, Request, Response


class Invocation:
    """One request to one model. It is the reply that the model answers to."""

    __slots__ = ("_going_on", "_models", "_reply", "_request", "_slot")

    def __init__(self, models: Models, request: Request, reply: Reply) -> None:
        self._models = models
        self._request = request
        self._reply = reply
        self._slot: Slot[Loaded] | None = None
        self._going_on: Cancellable | None = None

    def begin(self, name: str) -> Invocation:
        """Ask the model of that name."""
        slot = self._models.take_loaded(name)
        if slot is not None:
            self._ask(slot)
        else:
            self._going_on = asyncio.get_running_loop().create_task(self._wait(name))
        return self

    def cancel(self) -> None:
        """See `wire.messages.Cancellable`."""
        if self._going_on is not None:
            self._going_on.cancel()
        self._end()

    def respond(self, response: Response) -> None:
        """See `wire.messages.Reply`."""
        if isinstance(response.body, bytes):
            self._end()
        else:
            response.body = _Held(response.body, self._end)
        self._reply.respond(response)

    def abort(self) -> None:
        """See `wire.messages.Reply`."""
        self._end()
        self._reply.abort()

    async def _wait(self, name: str) -> None:
        try:
            slot = await self._models.take(name)
        except (NotServed, Broken) as error:
            self._reply.respond(refusal(error))
        else:
            self._ask(slot)

    def _ask(self, slot: Slot[Loaded]) -> None:
        self._slot = slot
        self._going_on = slot.model.begin(self._request, self)

    def _end(self) -> None:
        slot, self._slot = self._slot, None
        if slot is not None:
            self._models.give_back(slot)


class _Held:
    """A body that is made while it goes out, and needs its model for as long."""

    def __init__(self, body: AsyncIterator[bytes], on_end: Callable[[], None]) -> None:
        self._body = body
        self._on_end = on_end

    def __aiter__(self) -> _Held:
        return self

    async def __anext__(self) -> bytes:
        return await anext(self._body)

    async def aclose(self) -> None:
        """The caller has had it, or has left."""
        self._on_end()
        close = getattr(self._body, "aclose", None)
        if close is not None:
            await close()


def refusal(error: NotServed | Broken) -> Response:
    """The answer to a request whose model does not get to see it."""
    if isinstance(error, NotServed):
        return Response(error.status, [(REFUSAL, error.code), (b"content-type", b"text/plain")], str(error).encode())
    return failure(500, f"The model cannot be loaded: {error}")

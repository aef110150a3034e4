"""Which model is where: it is loaded in the annex, and moves into the instance's own process when asked for often."""

from __future__ import annotations

import asyncio
from pathlib import Path

from moorage.runtime.multi_model.annex.forwarding import Forwarding
from moorage.runtime.multi_model.annex.landlord import Annex
from moorage.runtime.multi_model.kind import FrameworkModels
from moorage.runtime.toolkit import LoadedModel
from moorage.wire.messages import Begin, Cancellable, Reply, Request


class Guest:
    """A model in the annex, and how many requests are at it."""

    def __init__(self, number: int, folder: Path) -> None:
        self.number = number
        self.folder = folder
        self._requests = 0
        self._is_idle = asyncio.Event()
        self._is_idle.set()

    def begin_request(self) -> None:
        """One more is at it."""
        self._requests += 1
        self._is_idle.clear()

    def end_request(self) -> None:
        """One less."""
        self._requests -= 1
        if not self._requests:
            self._is_idle.set()

    async def wait_idle(self) -> None:
        """Return when there is none."""
        await self._is_idle.wait()


class AnnexedModels:
    """Models that begin in the annex. `own` are those of this process. See `loading.Kind`."""

    def __init__(self, annex: Annex, own: FrameworkModels, *, body_bytes_max: int) -> None:
        self._annex = annex
        self._own = own
        self._body_bytes_max = body_bytes_max

    async def load(self, name: str, folder: Path) -> Guest:
        """See `loading.Kind`."""
        return Guest(await self._annex.load(name, folder), folder)

    async def improve(self, name: str, model: Guest) -> LoadedModel:
        """Take a model over. What takes long, to see whether it may be compiled, is done in the annex."""
        verdict = await self._annex.judge(model.number)
        loaded = await self._own.load(name, model.folder)
        return loaded if verdict is None else await self._own.compile(name, loaded, verdict)

    def serve(self, model: Guest | LoadedModel) -> Begin:
        """See `loading.Kind`."""
        return (
            _Forwarder(self._annex, model, self._body_bytes_max) if isinstance(model, Guest) else self._own.serve(model)
        )

    async def close(self, model: Guest | LoadedModel) -> None:
        """See `loading.Kind`. Returns when the last request is over."""
        if isinstance(model, Guest):
            await model.wait_idle()
            await self._annex.unload(model.number)


class _Forwarder:
    """Begins the requests of a guest."""

    def __init__(self, annex: Annex, guest: Guest, body_bytes_max: int) -> None:
        self._pool = annex.pool
        self._guest = guest
        self._target = b"/models/%d/invoke" % guest.number
        self._body_bytes_max = body_bytes_max

    def __call__(self, request: Request, reply: Reply) -> Cancellable:
        self._guest.begin_request()
        forwarding = Forwarding(self._pool, self._target, request, reply, self._guest.end_request)
        return forwarding.begin(self._body_bytes_max)

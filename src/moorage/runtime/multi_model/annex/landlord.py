"""The instance's end of the annex: has it load models, and takes requests there."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
from concurrent.futures import Executor
from pathlib import Path
from typing import Final

import msgspec

from moorage.runtime.multi_model import memory
from moorage.runtime.multi_model.annex.rooms import BROKEN, DONE, NO_MEMORY, Lodger
from moorage.runtime.multi_model.faults import Broken
from moorage.runtime.multi_model.room import Allocated
from moorage.runtime.trees.verdict import Verdict
from moorage.runtime.worker import TAKEN
from moorage.wire.client import Client
from moorage.wire.limits import Limits
from moorage.wire.messages import WireError
from moorage.wire.pool import Pool

_ADDRESS: Final = "the annex"
_PATIENCE_S: Final = 3600.0
"""How long things may take is for others to say."""
_ANSWER_BYTES_MAX: Final = 65_536
_WORDS: Final = 4096


class Annex:
    """The annex, by the channel that it takes connections from."""

    def __init__(self, channel: socket.socket, *, body_bytes_max: int) -> None:
        self._channel = channel
        self._loop = asyncio.get_running_loop()
        self._client = Client(dial=self._dial)
        self._numbers = itertools.count(1)
        self.pool = Pool(_ADDRESS, Limits(body_bytes=body_bytes_max), dial=self._dial)
        """Connections for requests of callers."""
        self.ended: asyncio.Future[None] = self._loop.create_future()
        """Done when it has ended."""
        self._loop.add_reader(channel, self._hear)

    async def load(self, name: str, folder: Path) -> int:
        """Have a model loaded; its number from then on. Raises Broken, MemoryError."""
        number = next(self._numbers)
        status, said = await self._ask(b"POST", b"/models", msgspec.json.encode(Lodger(number, name, str(folder))))
        if status == NO_MEMORY:
            raise MemoryError
        if status == BROKEN:
            raise Broken(said.decode())
        return number

    async def judge(self, number: int) -> Verdict | None:
        """Whether a model may be compiled; None if it is not one to compile. Raises Broken if it is gone."""
        status, said = await self._ask(b"POST", b"/models/%d/judge" % number)
        if status != DONE:
            raise Broken("the model has left")
        return msgspec.json.decode(said, type=Verdict | None)

    async def unload(self, number: int) -> None:
        """Have a model forgotten."""
        with contextlib.suppress(Broken):  # it ends, and all its models with it
            await self._ask(b"DELETE", b"/models/%d" % number)

    async def tidy(self, what: str) -> None:
        """`trim` or `collect` its memory."""
        await self._ask(b"POST", b"/memory/%b" % what.encode())

    def close(self) -> None:
        """Ask no more."""
        self._loop.remove_reader(self._channel)
        self._client.close()
        self.pool.close()
        self._channel.close()

    async def _ask(self, method: bytes, target: bytes, body: bytes = b"") -> tuple[int, bytes]:
        try:
            answer = await self._client.request(_ADDRESS, method, target, body=body, head_s=_PATIENCE_S)
            return answer.status, await answer.read(_ANSWER_BYTES_MAX)
        except WireError as error:
            raise Broken("the process that loads models has ended") from error

    def _dial(self) -> socket.socket:
        """A connection to the annex. Raises OSError."""
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                socket.send_fds(self._channel, [TAKEN], [theirs.fileno()])
            except OSError:
                ours.close()
                raise
        ours.setblocking(False)
        return ours

    def _hear(self) -> None:
        """What it says of each connection is nothing to us, but for its silence."""
        with contextlib.suppress(BlockingIOError, ConnectionResetError):
            while self._channel.recv(_WORDS):
                pass
            self._loop.remove_reader(self._channel)
            if not self.ended.done():
                self.ended.set_result(None)


class BothMemories:
    """What the instance's own process and the annex take. See `room.Memory`."""

    def __init__(self, annex: Annex, pid: int, threads: Executor) -> None:
        self._annex = annex
        self._pid = pid
        self._threads = threads
        self._loop = asyncio.get_running_loop()

    def allocated(self) -> Allocated:
        """See `room.Memory`."""
        by_guests = 0
        with contextlib.suppress(OSError):  # it is ending, and so are we
            by_guests = memory.allocated_bytes(self._pid)
        return Allocated(by_guests, memory.allocated_bytes())

    async def trim(self) -> None:
        """See `room.Memory`."""
        await asyncio.gather(self._annex.tidy("trim"), self._loop.run_in_executor(self._threads, memory.trim))

    async def collect(self) -> None:
        """See `room.Memory`."""
        await asyncio.gather(self._annex.tidy("collect"), self._loop.run_in_executor(self._threads, memory.collect))

"""Between the wire and a model: calls queue here, and are answered together as far as the model allows.

Nobody waits for company. What one turn of the event loop has read, or what came while the model was busy, is what
goes together. A quick model is asked right on the event loop; any other in its thread, so that `/ping` is answered
meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Awaitable, Sequence
from concurrent.futures import Executor
from typing import Final, TypeVar

from moorage.runtime import async_hooks
from moorage.runtime.batching import Pace
from moorage.runtime.calls import Answer, Call, Outcome
from moorage.runtime.failures import fault_of
from moorage.runtime.replies import response_of
from moorage.runtime.streaming import Pieces, open_stream
from moorage.runtime.toolkit import LoadedModel
from moorage.wire.messages import Reply, Response

T = TypeVar("T")

QUICK_BYTES_MAX: Final = 65_536
"""What a quick model reads on the event loop; it takes a millisecond to decode."""
BATCH_BYTES_MAX: Final = 1024 * 1024


class Ticket:
    """A call and where its answer goes."""

    __slots__ = ("_task", "call", "is_abandoned", "reply")

    def __init__(self, call: Call, reply: Reply) -> None:
        self.call = call
        self.reply = reply
        self.is_abandoned = False
        self._task: asyncio.Task[None] | None = None

    def cancel(self) -> None:
        """The caller has left: the model is not asked if it has not been yet."""
        self.is_abandoned = True
        if self._task is not None:
            self._task.cancel()

    def run(self, task: asyncio.Task[None]) -> None:
        """A task that answers goes on for as long as the caller is there."""
        self._task = task


class Dispatcher:
    """The calls of one model. To be used on the event loop."""

    def __init__(self, model: LoadedModel, thread: Executor) -> None:
        self.model = model
        self._thread = thread
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[Ticket] = deque()
        self._pace = Pace()
        self._is_scheduled = False
        self._is_busy = False

    def submit(self, call: Call, reply: Reply) -> Ticket:
        """Have `call` answered."""
        ticket = Ticket(call, reply)
        if self.model.is_async:
            ticket.run(self._loop.create_task(self._converse(ticket)))
            return ticket
        self._waiting.append(ticket)
        self._schedule()
        return ticket

    def _schedule(self) -> None:
        if not self._is_scheduled and not self._is_busy:
            self._is_scheduled = True
            self._loop.call_soon(self._turn)  # what else this turn of the loop has read comes before

    def _turn(self) -> None:
        self._is_scheduled = False
        tickets = self._take()
        if not tickets:
            return
        if self.model.is_quick and _bytes_of(tickets) <= QUICK_BYTES_MAX:
            self._deliver(tickets, self._answer(tickets))
        else:
            self._is_busy = True
            self._thread.submit(self._answer_in_thread, tickets)

    def _take(self) -> list[Ticket]:
        """What to answer next: in order of arrival, no more than goes together."""
        taken: list[Ticket] = []
        most = min(self.model.calls_max, self._pace.limit)
        left_bytes = BATCH_BYTES_MAX
        while self._waiting and len(taken) < most:
            if self._waiting[0].is_abandoned:
                self._waiting.popleft()
                continue
            left_bytes -= len(self._waiting[0].call.body)
            if left_bytes < 0 and taken:
                break
            taken.append(self._waiting.popleft())
        return taken

    def _answer_in_thread(self, tickets: Sequence[Ticket]) -> None:
        outcomes = self._answer(tickets)
        with contextlib.suppress(RuntimeError):  # the loop is closed: the instance ends, and nobody waits any more
            self._loop.call_soon_threadsafe(self._finish, tickets, outcomes)

    def _answer(self, tickets: Sequence[Ticket]) -> list[Outcome]:
        began = time.perf_counter()
        outcomes = self.model.answer_all([ticket.call for ticket in tickets])
        self._pace.note(len(tickets), time.perf_counter() - began)
        return outcomes

    def _finish(self, tickets: Sequence[Ticket], outcomes: Sequence[Outcome]) -> None:
        self._is_busy = False
        self._turn()  # first of all: the model works while the answers go out
        self._deliver(tickets, outcomes)

    def _deliver(self, tickets: Sequence[Ticket], outcomes: Sequence[Outcome]) -> None:
        for ticket, outcome in zip(tickets, outcomes, strict=True):
            if isinstance(outcome, Answer) and not isinstance(outcome.body, bytes):
                ticket.run(self._loop.create_task(self._stream(ticket, outcome, outcome.body)))
            else:
                ticket.reply.respond(response_of(outcome, ticket.call))
        if self._waiting:
            self._schedule()

    async def _converse(self, ticket: Ticket) -> None:
        answer = await _attempt(async_hooks.converse(self.model, ticket.call, self._thread), ticket)
        if isinstance(answer, Exception) or isinstance(answer.body, bytes):
            ticket.reply.respond(response_of(answer, ticket.call))
        else:
            await self._stream(ticket, answer, answer.body)

    async def _stream(self, ticket: Ticket, answer: Answer, pieces: Pieces) -> None:
        """Send an answer that is made piece by piece. What fails before the first of them still gets a status."""
        stream = await _attempt(open_stream(pieces, self._thread), ticket)
        if isinstance(stream, Exception):
            ticket.reply.respond(response_of(stream, ticket.call))
        else:
            ticket.reply.respond(Response(200, answer.head(), stream))


async def _attempt(step: Awaitable[T], ticket: Ticket) -> T | Exception:
    """What `step` comes to, or else the fault it is. It is no fault that the caller has left."""
    try:
        return await step
    except asyncio.CancelledError as error:
        if ticket.is_abandoned:
            raise
        return fault_of(error)
    except BaseException as error:
        return fault_of(error)


def _bytes_of(tickets: Sequence[Ticket]) -> int:
    return sum([len(ticket.call.body) for ticket in tickets])

"""The way of one invocation through the containers.

A container that answers with anything but success ends it: that answer is the instance's. The last container's answer
is passed on as it comes, so a streamed one streams.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from moorage.runtime.front.baton import Baton
from moorage.runtime.front.containers import Containers
from moorage.runtime.front.parts import CONTAINER, INVOCATION_S, LATENCIES, FrontContainer
from moorage.runtime.multi_model.faults import REFUSAL
from moorage.wire.answer import Answer
from moorage.wire.messages import Request, Response


class Course:
    """One invocation of the containers in `course`, one after the other."""

    def __init__(self, request: Request, course: Sequence[FrontContainer], containers: Containers) -> None:
        self._course = course
        self._containers = containers
        self._baton = Baton(request)
        self._ends_at = asyncio.get_running_loop().time() + INVOCATION_S
        self._latencies: list[bytes] = []

    async def run(self, body: bytes) -> Response:
        """The answer. Raises ContainerFailed."""
        *before, last = self._course
        for container in before:
            began = time.perf_counter()
            answer = await self._ask(container, body, is_last=False)
            if not 200 <= answer.status < 300:
                return self._pass_on(container, answer, began)
            body = await self._containers.read(container, answer, ends_at=self._ends_at)
            self._note_latency(container, began)
        began = time.perf_counter()
        return self._pass_on(last, await self._ask(last, body, is_last=True), began)

    async def _ask(self, container: FrontContainer, body: bytes, *, is_last: bool) -> Answer:
        fields = self._baton.request_fields(container, is_last=is_last)
        answer = await self._containers.ask(container, fields, body, ends_at=self._ends_at)
        self._baton.take(answer)
        return answer

    def _pass_on(self, container: FrontContainer, answer: Answer, began: float) -> Response:
        self._note_latency(container, began)
        own = [(CONTAINER, container.name.encode()), (LATENCIES, b",".join(self._latencies))]
        if container.is_multi_model and REFUSAL in answer.fields:
            own.append((REFUSAL, answer.fields[REFUSAL]))
        fields = [*self._baton.answer_fields(), *own]
        if answer.content is not None:
            return Response(answer.status, fields, answer.content)
        return Response(answer.status, fields, answer.stream(), content_length=answer.content_length)

    def _note_latency(self, container: FrontContainer, began: float) -> None:
        # The loop's own clock counts milliseconds where the loop is uvloop's.
        self._latencies.append(b"%b=%d" % (container.name.encode(), int((time.perf_counter() - began) * 1e6)))

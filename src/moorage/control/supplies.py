"""Fetching the model data that running instances ask for: the models of multi-model endpoints, as they are wanted.

An instance compares the models it uses with their objects every few seconds by asking for them again. That costs a look
at the object; what is here already is not fetched twice.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Final, NamedTuple

from moorage.control.backoff import delay_s
from moorage.control.fetching import Fetch
from moorage.core.faults import ModelDataUnusable
from moorage.core.model import ModelData
from moorage.runners.base import Demands, ModelFiles, RunnerError
from moorage.system.clock import Clock
from moorage.system.tasks import BackgroundTasks

_ATTEMPTS_MAX: Final = 4

_log = logging.getLogger(__name__)


class _Refusal(NamedTuple):
    reason: str
    is_gone: bool


class Supplies:
    """Answers demands for as long as it is open."""

    def __init__(self, demands: Demands, fetch: Fetch, clock: Clock) -> None:
        self._demands = demands
        self._fetch = fetch
        self._clock = clock
        self._tasks = BackgroundTasks()
        self._under_way: set[str] = set()
        self._watch: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Begin."""
        self._watch = asyncio.create_task(self._run(), name="supply models")

    async def close(self) -> None:
        """Give up what is under way: it stays demanded."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.wait([self._watch])
        await self._tasks.close()

    async def _run(self) -> None:
        async for data in self._demands.demanded():
            if data.uri not in self._under_way:
                self._under_way.add(data.uri)
                self._tasks.start(self._answer(data), name=f"supply {data.uri}")

    async def _answer(self, data: ModelData) -> None:
        try:
            answer = await self._get(data)
        finally:
            self._under_way.discard(data.uri)  # not later: who is told may demand it anew before we know that he was
        with suppress(RunnerError):  # the agent is gone: its successor will ask again
            if isinstance(answer, _Refusal):
                await self._demands.refuse(data, answer.reason, is_gone=answer.is_gone)
            else:
                await self._demands.supply(data, answer)

    async def _get(self, data: ModelData) -> ModelFiles | _Refusal:
        for errors in range(1, _ATTEMPTS_MAX + 1):
            try:
                return await self._fetch(data)
            except ModelDataUnusable as fault:
                _log.info("%s", fault)
                return _Refusal(_not_there(data), is_gone=True)
            except Exception as error:
                _log.warning("fetching %s: %r", data.uri, error)
            await self._clock.sleep(delay_s(errors))
        return _Refusal(f"The model data at {data.uri} cannot be fetched just now.", is_gone=False)


def _not_there(data: ModelData) -> str:
    """As SageMaker says it (its beginning observed, the rest recalled)."""
    bucket, _, key = data.uri.removeprefix("s3://").partition("/")
    return (
        f"Failed to download model data(bucket: {bucket}, key: {key}). Please ensure that there is an object located at"
        " the URL and that the role passed to CreateModel has permissions to download the model."
    )

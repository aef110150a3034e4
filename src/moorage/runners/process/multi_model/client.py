"""The agent's demands, and its instances of many models, as control sees them. A connection a call."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from moorage.core.model import EndpointKey, ModelData
from moorage.runners.base import ModelFiles, RunnerError
from moorage.runners.many_models import Page, Report, Shop
from moorage.runners.process.client import decode, exchange
from moorage.runners.process.protocol import (
    LINE_BYTES_MAX,
    Demanded,
    MeasureModels,
    ModelsMeasured,
    ModelsReported,
    Refuse,
    Reply,
    ReportModels,
    Request,
    Supply,
    WatchDemands,
    encode,
)
from moorage.system.clock import Clock

_RECONNECT_DELAY_S: Final = 0.05
_RECONNECT_DELAY_MAX_S: Final = 1.0


class AgentDemands:
    """See `runners.base.Demands`."""

    def __init__(self, socket_path: Path, clock: Clock) -> None:
        self._path = socket_path
        self._clock = clock

    async def demanded(self) -> AsyncIterator[ModelData]:
        delay_s = _RECONNECT_DELAY_S
        while True:
            with contextlib.suppress(OSError, RunnerError):
                async with contextlib.aclosing(self._watch()) as demands:
                    async for data in demands:
                        delay_s = _RECONNECT_DELAY_S
                        yield data
            await self._clock.sleep(delay_s)
            delay_s = min(_RECONNECT_DELAY_MAX_S, delay_s * 2)

    async def supply(self, data: ModelData, files: ModelFiles) -> None:
        await self._tell(Supply(data, files))

    async def refuse(self, data: ModelData, reason: str, *, is_gone: bool) -> None:
        await self._tell(Refuse(data, reason, is_gone))

    async def _watch(self) -> AsyncGenerator[ModelData, None]:
        reader, writer = await asyncio.open_unix_connection(self._path, limit=LINE_BYTES_MAX)
        try:
            writer.write(encode(WatchDemands()))
            while line := await reader.readline():
                demanded = decode(line)
                if isinstance(demanded, Demanded):
                    yield demanded.data
        finally:
            writer.close()

    async def _tell(self, answer: Supply | Refuse) -> None:
        await _ask(self._path, answer)


class AgentManyModels:
    """See `runners.many_models.ManyModels`."""

    def __init__(self, socket_path: Path) -> None:
        self._path = socket_path

    async def report(self, endpoint: EndpointKey) -> Sequence[Report]:
        reply = await _ask(self._path, ReportModels(endpoint))
        assert isinstance(reply, ModelsReported)
        return reply.reports

    async def measure(self, known: Mapping[Shop, int]) -> Sequence[Page]:
        reply = await _ask(self._path, MeasureModels(tuple(known.items())))
        assert isinstance(reply, ModelsMeasured)
        return reply.pages


async def _ask(path: Path, request: Request) -> Reply:
    try:
        return await exchange(path, request)
    except OSError as error:
        raise RunnerError(f"The agent at {path} cannot be reached: {error}") from error

"""Brings one instance the models it wants, for as long as it lives."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Set
from pathlib import Path
from typing import Final

from moorage.core.model import ModelData
from moorage.runners.process.models import ArchiveRefused, UnpackFailed
from moorage.runners.process.multi_model.channel import Channel, InstanceAway
from moorage.runners.process.multi_model.demands import Demands, Refused
from moorage.runners.process.multi_model.messages import Refusal, Supply, Unchanged, Want
from moorage.runners.process.multi_model.stock import Stock
from moorage.system.clock import Clock
from moorage.system.tasks import BackgroundTasks

_NEWS_S: Final = 20
_TIDY_S: Final = 1
"""How soon to look again where more is unpacked than may be: what is in use now may not be then."""
_RETRY_S: Final = 0.25
_AGAIN_S: Final = 1.0
"""How soon to try again what the file system has refused."""
_AT_ONCE: Final = 8
"""Models on their way that somebody waits for."""
_CHECKS_AT_ONCE: Final = 2
"""And those that are only compared with their objects: they have time."""

log = logging.getLogger(__name__)


class Supplier:
    """Answers the wants of one instance from `prefix` (`s3://bucket/path/`)."""

    def __init__(self, channel: Channel, prefix: str, *, demands: Demands, stock: Stock, clock: Clock) -> None:
        self._channel = channel
        self._prefix = prefix
        self._demands = demands
        self._stock = stock
        self._clock = clock
        self._tasks = BackgroundTasks()
        self._bringing: dict[str, Want] = {}
        """By model, the want that was seen last: it is answered again if it came while an earlier one was."""
        self._answered: dict[str, int] = {}
        """By model, the number of a want that was answered after we last asked: what we are told may still have it."""
        self._hurried = asyncio.Semaphore(_AT_ONCE)
        self._leisurely = asyncio.Semaphore(_CHECKS_AT_ONCE)

    async def run(self) -> None:
        """Ask what is wanted, and bring it, until cancelled."""
        known = -1
        try:
            await self._open_stock()
            while True:
                known = await self._look(known)
        finally:
            await self._tasks.close()
            self._channel.close()

    async def _open_stock(self) -> None:
        while True:
            try:
                return await self._stock.open()
            except OSError as error:  # a full disk, for one
                log.warning("the unpacked models of an instance cannot be looked through: %s", error)
                await self._clock.sleep(_AGAIN_S)

    async def _look(self, known: int) -> int:
        try:
            # What is being brought may be too much once it is here.
            may_be_over = self._stock.is_over or bool(self._bringing)
            self._answered.clear()
            wanted = await self._channel.wants(known, wait_s=_TIDY_S if may_be_over else _NEWS_S)
            for want in wanted.wants:
                if self._answered.get(want.model) != want.number:
                    self._begin(want)
            if self._stock.is_over:
                await self._stock.shrink(self._folders_in_use)
        except InstanceAway as error:
            log.debug("an instance with many models does not answer: %s", error)
            await self._clock.sleep(_RETRY_S)
            return -1
        except OSError as error:
            log.warning("unpacked models that are not needed cannot be removed: %s", error)
            await self._clock.sleep(_AGAIN_S)
        return wanted.number

    def _begin(self, want: Want) -> None:
        is_new = want.model not in self._bringing
        self._bringing[want.model] = want
        if is_new:
            self._tasks.start(self._bring(want), name=f"bring {want.model}")

    async def _bring(self, want: Want) -> None:
        try:
            word = await self._supply(want)
            if word is not None:
                await self._channel.hand(word)
            self._answered[want.model] = want.number
        except InstanceAway as error:
            log.warning("model %s could not be handed over: %s", want.model, error)
            await self._clock.sleep(_RETRY_S)
        finally:
            last = self._bringing.pop(want.model)
        if last.number != want.number:
            self._begin(last)

    async def _supply(self, want: Want) -> Unchanged | Refusal | None:
        """Hand the model over, or answer what there is to say instead. Raises InstanceAway."""
        began = self._clock.monotonic()
        try:
            async with self._hurried if want.hurry else self._leisurely:
                files = await self._demands.fetch(ModelData(self._prefix + want.model))
            if files.digest == want.version:
                return Unchanged(want.model)
            async with self._stock.unpacked(files.digest, files.files[0].path) as folder:
                took_us = int((self._clock.monotonic() - began) * 1e6)
                await self._channel.hand(Supply(want.model, files.digest, str(folder), took_us))
        except Refused as refused:
            return Refusal(want.model, str(refused), is_gone=refused.is_gone)
        except ArchiveRefused as refused:
            return Refusal(want.model, str(refused), is_unusable=True)
        except (UnpackFailed, OSError) as error:
            return Refusal(want.model, str(error))
        except InstanceAway:
            raise
        except Exception as error:  # one of our own: those who wait shall not wait for the end
            log.exception("model %s could not be brought", want.model)
            return Refusal(want.model, f"The model could not be brought: {type(error).__name__}")
        return None

    async def _folders_in_use(self) -> Set[Path]:
        report = await self._channel.report()
        return {Path(model.folder) for model in report.loaded.values()}

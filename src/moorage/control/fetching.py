"""Having all that an instance's containers need of model data on this machine, within the time there is for it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from moorage.control.backoff import delay_s
from moorage.core.faults import ModelDataUnusable
from moorage.core.model import Container, DataForm, ModelData, Variant
from moorage.runners.base import ContainerFiles, ModelFiles
from moorage.system.clock import Clock
from moorage.system.tasks import all_of

Say = Callable[[str], Awaitable[None]]
"""Writes a line where whoever waits for an instance can read it."""

FETCH_ATTEMPTS_MAX: Final = 5
SUBMIT_DIRECTORY: Final = "SAGEMAKER_SUBMIT_DIRECTORY"
"""Where a container's code is; the SDK gives s3://…/sourcedir.tar.gz if it has not packed it with the model."""

_log = logging.getLogger(__name__)


class Fetch(Protocol):
    """Has model data on this machine, and says meanwhile how far that has come.

    Raises ModelDataUnusable; anything else is tried again a few times.
    """

    async def __call__(self, data: ModelData, say: Say = ...) -> ModelFiles: ...


class Fetcher:
    """Fetches with patience: what may pass with time is tried again until the time there is for it is over."""

    def __init__(self, fetch: Fetch, clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock

    async def fetch_all(self, variant: Variant, say: Say) -> tuple[ContainerFiles, ...]:
        """What each container finds, all fetched at once. Raises ModelDataUnusable, which names the source."""
        timeout_s = variant.download_timeout_s
        return tuple(await all_of(self._of_container(container, timeout_s, say) for container in variant.containers))

    async def _of_container(self, container: Container, timeout_s: float, say: Say) -> ContainerFiles:
        model = None if container.is_multi_model else container.model_data
        sources = [model, code_of(container), *(channel.data for channel in container.channels)]
        found_model, found_code, *found = await all_of(self._within(source, timeout_s, say) for source in sources)
        names = (channel.name for channel in container.channels)
        channels = tuple((name, files) for name, files in zip(names, found, strict=True) if files is not None)
        return ContainerFiles(found_model, channels, found_code)

    async def _within(self, source: ModelData | None, timeout_s: float, say: Say) -> ModelFiles | None:
        if source is None:
            return None
        try:
            async with asyncio.timeout(timeout_s):
                return await self._persistently(source, say)
        except TimeoutError:
            why = f"The model data at {source.uri} could not be fetched within {timeout_s:g} s."
            raise ModelDataUnusable(why) from None

    async def _persistently(self, source: ModelData, say: Say) -> ModelFiles:
        errors = 0
        while True:
            try:
                return await self._fetch(source, say)
            except ModelDataUnusable:
                raise
            except Exception as error:
                errors += 1
                _log.warning("fetching %s: %r", source.uri, error)
                if errors == FETCH_ATTEMPTS_MAX:
                    raise ModelDataUnusable(f"The model data at {source.uri} could not be fetched: {error}") from error
                await say(f"fetching {source.uri}: {error}; trying again")
            await self._clock.sleep(delay_s(errors))


def code_of(container: Container) -> ModelData | None:
    """The archive of a container's code, if it lies in S3 by itself."""
    place = container.environment.get(SUBMIT_DIRECTORY, "")
    return ModelData(place, DataForm.ARCHIVE) if place.startswith("s3://") else None

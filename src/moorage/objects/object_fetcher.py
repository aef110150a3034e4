"""Objects by way of the cache: each version is downloaded once, however many ask for it and however often."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence

from moorage.core.words import sized
from moorage.objects.download import Download
from moorage.objects.model_sources import FoundObject, ModelSource, Unreachable
from moorage.objects.object_cache import LocalFile, ObjectCache
from moorage.objects.workers import Workers
from moorage.system.clock import Clock
from moorage.system.tasks import all_of

Say = Callable[[str], Awaitable[None]]
"""Is told how far a long download has come, for a person to read."""

_AT_ONCE_MAX = 4
"""Of those asked for together, so that others get their turn."""
_PROGRESS_S = 10.0


class ObjectFetcher:
    """Downloads into a cache."""

    def __init__(self, cache: ObjectCache, *, files: Workers, clock: Clock) -> None:
        self._cache = cache
        self._files = files
        self._clock = clock
        self._tasks: dict[FoundObject, asyncio.Task[None]] = {}
        self._downloads: dict[FoundObject, Download] = {}

    async def prepare(self) -> None:
        """Make the cache's folder ready. To be called once, before anything else."""
        await self._files.run(self._cache.prepare)

    async def close(self) -> None:
        """Give up the downloads under way."""
        for download in self._downloads.values():
            download.abandon()
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def get(self, source: ModelSource, objects: Collection[FoundObject], say: Say) -> list[LocalFile]:
        """The objects as files, which stay for long enough to be linked.

        Raises Changed, Unreadable, Unreachable, OSError.
        """
        keys = [(found.location.url, found.etag) for found in objects]
        self._cache.hold(keys)
        try:
            while True:
                files = await self._files.run(self._cache.find, keys, now=self._clock.now())
                missing = [found for found, file in zip(objects, files, strict=True) if file is None]
                if not missing:
                    return [file for file in files if file is not None]
                await self._download_all(source, missing, say)
        finally:
            await self._files.run(self._cache.release, keys, now=self._clock.now())

    async def _download_all(self, source: ModelSource, objects: Sequence[FoundObject], say: Say) -> None:
        turns = asyncio.Semaphore(_AT_ONCE_MAX)
        done: set[FoundObject] = set()

        async def download(found: FoundObject) -> None:
            async with turns:
                await self._download_once(source, found)
                done.add(found)

        telling = asyncio.create_task(self._tell(objects, done, say))
        try:
            await all_of(download(found) for found in objects)
        finally:
            telling.cancel()
            await asyncio.wait([telling])

    async def _tell(self, objects: Sequence[FoundObject], done: Collection[FoundObject], say: Say) -> None:
        """Say every few seconds how far the download of `objects` has come."""
        size = sum(found.size for found in objects)
        while True:
            await self._clock.sleep(_PROGRESS_S)
            coming = sum(self._downloads[found].size for found in objects if found in self._downloads)
            come = coming + sum(found.size for found in done)
            await say(f"{sized(come)} of {sized(size)}, {len(done)} of {len(objects)} objects")

    async def _download_once(self, source: ModelSource, found: FoundObject) -> None:
        """Join the download of this version if one is under way. It goes on when one of those who wait gives up."""
        task = self._tasks.get(found)
        if task is None:
            task = asyncio.create_task(self._download(source, found), name=f"download {found.location.url}")
            self._tasks[found] = task
            task.add_done_callback(lambda done: self._forget(found, done))
        await asyncio.shield(task)

    def _forget(self, found: FoundObject, done: asyncio.Task[None]) -> None:
        del self._tasks[found]
        if not done.cancelled():
            done.exception()  # looked at here, for whoever waited may be gone

    async def _download(self, source: ModelSource, found: FoundObject) -> None:
        [file] = await self._files.run(self._cache.find, [(found.location.url, found.etag)], now=self._clock.now())
        if file is not None:  # another download of it has ended since whoever asks for this one looked
            return
        path = await self._files.run(self._cache.new_path, found.size, now=self._clock.now())
        download = self._downloads[found] = Download(path)
        try:
            with download:
                await _complete(source, found, download)
            url, now = found.location.url, self._clock.now()
            await self._files.run(self._cache.keep, path, url, etag=found.etag, sha256=download.sha256, now=now)
        except BaseException:
            await self._files.run(path.unlink, missing_ok=True)
            raise
        finally:
            del self._downloads[found]


async def _complete(source: ModelSource, found: FoundObject, download: Download) -> None:
    """Download to the end, going on where it broke off for as long as that comes further."""
    while True:
        size = download.size
        try:
            await source.download(found, download)
        except Unreachable:
            if download.size == size:
                raise
        else:
            return

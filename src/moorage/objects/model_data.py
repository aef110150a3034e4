"""Model data, by URL: whether it can be read, and a file of it on this machine.

Each version of an object is downloaded once, however many instances ask for it and however often.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from moorage.core.faults import ModelDataUnusable
from moorage.objects.archive_cache import ArchiveCache, LocalFile
from moorage.objects.model_sources import Changed, ModelSource, Unreadable
from moorage.objects.model_urls import ObjectLocation, parse_model_url
from moorage.objects.workers import Workers
from moorage.system.clock import Clock

_LOOKS_MAX = 5
"""How often an object may change under our eyes before we give up."""


class ModelDataUnreadable(ModelDataUnusable):
    """There is no model data at `url` that can be read, for the reason `why`."""

    def __init__(self, url: str, why: str) -> None:
        super().__init__(f"Could not access model data at {url}: {why}.")
        self.url = url
        self.why = why


class ModelDataReader(Protocol):
    """What control and CreateModel ask. Raises ModelDataUnreadable; `Unreachable` and OSError may pass with time."""

    async def check(self, url: str) -> None:
        """Whether the object is there and may be read."""
        ...

    async def fetch(self, url: str) -> LocalFile:
        """The object as it is now, as a file that does not change. Link it to keep it."""
        ...


class CachedModelData:
    """Reads from the first of `sources` that has the bucket, through a cache."""

    def __init__(self, sources: Sequence[ModelSource], *, cache: ArchiveCache, files: Workers, clock: Clock) -> None:
        self._sources = sources
        self._cache = cache
        self._files = files
        self._clock = clock
        self._downloads: dict[tuple[str, str], asyncio.Task[LocalFile]] = {}

    async def prepare(self) -> None:
        """Make the cache's folder ready. To be called once, before anything else."""
        await self._files.run(self._cache.prepare)

    async def close(self) -> None:
        """Give up the downloads under way."""
        downloads = list(self._downloads.values())
        for download in downloads:
            download.cancel()
        await asyncio.gather(*downloads, return_exceptions=True)

    async def check(self, url: str) -> None:
        source, location = await self._find(url)
        await self._look(source, url, location)

    async def fetch(self, url: str) -> LocalFile:
        source, location = await self._find(url)
        for _ in range(_LOOKS_MAX):
            etag = await self._look(source, url, location)
            cached = await self._files.run(self._cache.find, url, etag, now=self._clock.now())
            if cached is not None:
                return cached
            try:
                return await self._download_once(source, url, location, etag=etag)
            except Changed:
                continue
            except Unreadable as unreadable:
                raise ModelDataUnreadable(url, str(unreadable)) from unreadable
        raise ModelDataUnreadable(url, "the object keeps changing")

    async def _find(self, url: str) -> tuple[ModelSource, ObjectLocation]:
        location = parse_model_url(url)
        if location is None:
            raise ModelDataUnreadable(url, "it is not the URL of an object in S3")
        for source in self._sources:
            if await source.has_bucket(location.bucket):
                return source, location
        raise ModelDataUnreadable(url, "the bucket does not exist")

    async def _look(self, source: ModelSource, url: str, location: ObjectLocation) -> str:
        try:
            return await source.etag(location)
        except Unreadable as unreadable:
            raise ModelDataUnreadable(url, str(unreadable)) from unreadable

    async def _download_once(self, source: ModelSource, url: str, location: ObjectLocation, *, etag: str) -> LocalFile:
        """Join the download of this version if one is under way. It goes on when one of those who wait gives up."""
        task = self._downloads.get((url, etag))
        if task is None:
            task = asyncio.create_task(self._download(source, url, location, etag=etag), name=f"download {url}")
            self._downloads[url, etag] = task
            task.add_done_callback(lambda done: self._forget(url, etag, done))
        return await asyncio.shield(task)

    def _forget(self, url: str, etag: str, done: asyncio.Task[LocalFile]) -> None:
        del self._downloads[url, etag]
        if not done.cancelled():
            done.exception()  # looked at here, for whoever waited may be gone

    async def _download(self, source: ModelSource, url: str, location: ObjectLocation, *, etag: str) -> LocalFile:
        path = self._cache.new_path()
        try:
            sha256 = await source.download(location, etag, path)
            now = self._clock.now()
            return await self._files.run(self._cache.keep, path, url, etag=etag, sha256=sha256, now=now)
        except BaseException:
            await self._files.run(_remove, path)
            raise


def _remove(path: Path) -> None:
    with suppress(FileNotFoundError):
        path.unlink()

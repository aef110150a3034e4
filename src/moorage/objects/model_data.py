"""Model data in each of its forms: whether it can be read, and files of it on this machine."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from moorage.core.faults import ModelDataUnusable
from moorage.core.model import DataForm, ModelData
from moorage.objects.model_sources import Changed, FoundObject, ModelSource, Unreadable
from moorage.objects.model_urls import ObjectLocation, parse_model_url, parse_place
from moorage.objects.object_cache import LocalFile
from moorage.objects.object_fetcher import ObjectFetcher, Say
from moorage.objects.prefixes import OBJECTS_MAX, file_name, paths_below

ARCHIVE_NAME = "model.tar.gz"
_LOOKS_MAX = 5
"""How often data may change under our eyes before we give up."""


async def silently(progress: str) -> None:
    """For those who do not want to know how far a download has come."""


class ModelDataUnreadable(ModelDataUnusable):
    """There is no model data at `url` that can be read, for the reason `why`."""

    def __init__(self, url: str, why: str) -> None:
        super().__init__(f"Could not access model data at {url}: {why}.")
        self.url = url
        self.why = why


@dataclass(frozen=True, slots=True)
class LocalData:
    """Model data on this machine."""

    digest: str
    """SHA-256 of an archive, or of the paths and digests of all files."""
    files: Mapping[str, LocalFile]
    """By path, `/` between its parts; an archive is one file."""


class ModelDataChecks(Protocol):
    """What CreateModel asks. Raises ModelDataUnreadable; `Unreachable` and OSError may pass with time."""

    async def check(self, data: ModelData) -> None:
        """Whether it is there and may be read."""
        ...

    async def check_bucket(self, data: ModelData) -> None:
        """Whether the bucket is there, whatever is in it."""
        ...


class CachedModelData:
    """Reads from the first of `sources` that has the bucket, through a cache."""

    def __init__(self, sources: Sequence[ModelSource], fetcher: ObjectFetcher) -> None:
        self._sources = sources
        self._fetcher = fetcher

    async def check(self, data: ModelData) -> None:
        with _naming(data):
            source, location = await self._find(data)
            if data.form is not DataForm.PREFIX:
                await _look(source, location, data)
            elif not await source.list(location, limit=1):
                raise Unreadable("there is no object below it")

    async def check_bucket(self, data: ModelData) -> None:
        with _naming(data):
            await self._find(data)

    async def fetch(self, data: ModelData, say: Say = silently) -> LocalData:
        """The data as it is now, in files that do not change: link them to keep them. Raises as the checks do."""

        async def tell(progress: str) -> None:
            await say(f"downloading {data.uri}: {progress}")

        with _naming(data):
            source, location = await self._find(data)
            for _ in range(_LOOKS_MAX):
                paths = await _look(source, location, data)
                try:
                    files = await self._fetcher.get(source, paths.values(), tell)
                except Changed:
                    continue
                except Unreadable:
                    if await _look(source, location, data) == paths:
                        raise
                    continue
                if data.form is not DataForm.PREFIX or await _look(source, location, data) == paths:
                    return _local(data.form, dict(zip(paths, files, strict=True)))
            raise Unreadable("it keeps changing")

    async def _find(self, data: ModelData) -> tuple[ModelSource, ObjectLocation]:
        location = parse_place(data.uri) if data.form is DataForm.PREFIX else parse_model_url(data.uri)
        if location is None:
            raise Unreadable("it is not the URL of an object in S3")
        for source in self._sources:
            if await source.has_bucket(location.bucket):
                return source, location
        raise Unreadable("the bucket does not exist")


async def _look(source: ModelSource, location: ObjectLocation, data: ModelData) -> Mapping[str, FoundObject]:
    """The objects that the data is now, by path. Raises Unreadable."""
    if data.form is DataForm.PREFIX:
        return paths_below(location.key, await source.list(location, limit=OBJECTS_MAX + 1))
    found = await source.look(location)
    if data.etag is not None and data.etag.strip('"') != found.etag:
        raise Unreadable(f"its ETag is {found.etag} and not {data.etag}, which the model asks for")
    return {ARCHIVE_NAME if data.form is DataForm.ARCHIVE else file_name(found): found}


def _local(form: DataForm, files: Mapping[str, LocalFile]) -> LocalData:
    if form is DataForm.ARCHIVE:
        return LocalData(files[ARCHIVE_NAME].sha256, files)
    lines = sorted(f"{file.sha256} {path}\0" for path, file in files.items())
    return LocalData(hashlib.sha256("".join(lines).encode()).hexdigest(), files)


@contextmanager
def _naming(data: ModelData) -> Iterator[None]:
    try:
        yield
    except Unreadable as unreadable:
        raise ModelDataUnreadable(data.uri, str(unreadable)) from unreadable

"""Model data by URL: found, fetched once, kept as long as there is room."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from moorage.core.faults import ModelDataUnusable
from moorage.objects.archive_cache import GRACE, ArchiveCache
from moorage.objects.intake import Payload
from moorage.objects.model_data import CachedModelData, ModelDataUnreadable
from moorage.objects.model_sources import EmbeddedSource, ModelSource, Unreadable
from moorage.objects.model_urls import ObjectLocation, parse_model_url
from moorage.objects.objects import Target
from moorage.objects.store import ObjectStore
from moorage.system.clock import SystemClock

URL = "s3://attic/model.tar.gz"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Elsewhere:
    """A source that has every bucket and one object, slow to come, and counts who asks."""

    def __init__(self) -> None:
        self.downloads = 0
        self.gate = asyncio.Event()

    async def has_bucket(self, bucket: str) -> bool:
        return True

    async def etag(self, location: ObjectLocation) -> str:
        if location.key != "model.tar.gz":
            raise Unreadable("the object does not exist")
        return "tag"

    async def download(self, location: ObjectLocation, etag: str, path: Path) -> str:
        self.downloads += 1
        await self.gate.wait()
        path.write_bytes(b"elsewhere")
        return hashlib.sha256(b"elsewhere").hexdigest()


async def reader(store: ObjectStore, folder: Path, *sources: ModelSource) -> CachedModelData:
    cache = ArchiveCache(folder / "archives", bytes_max=1_000_000)
    model_data = CachedModelData(sources, cache=cache, files=store.files, clock=SystemClock())
    await model_data.prepare()
    return model_data


async def test_what_is_in_the_store_is_fetched_as_it_is(store: ObjectStore, tmp_path: Path) -> None:
    data = b"weights" * 200_000
    put = await store.objects.put("attic", "model.tar.gz", payload=Payload(data), is_sealed=True)
    model_data = await reader(store, tmp_path, EmbeddedSource(store))
    await model_data.check(URL)
    file = await model_data.fetch(URL)
    assert (hashlib.sha256(data).hexdigest(), put.etag) == (file.sha256, file.etag)
    assert data == file.path.read_bytes()
    assert 0o400 == file.path.stat().st_mode & 0o777
    assert file == await model_data.fetch(URL)
    await store.objects.put("attic", "model.tar.gz", payload=Payload(b"new"))
    assert b"new" == (await model_data.fetch(URL)).path.read_bytes()
    assert data == file.path.read_bytes()


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("s3://attic/none", "the object does not exist"),
        ("s3://nowhere/model.tar.gz", "the bucket does not exist"),
        ("ftp://attic/model.tar.gz", "it is not the URL of an object in S3"),
        ("s3://attic", "it is not the URL of an object in S3"),
    ],
)
async def test_what_cannot_be_read_is_said(store: ObjectStore, tmp_path: Path, url: str, why: str) -> None:
    model_data = await reader(store, tmp_path, EmbeddedSource(store))
    for ask in (model_data.check, model_data.fetch):
        with pytest.raises(ModelDataUnreadable) as caught:
            await ask(url)
        assert (url, why) == (caught.value.url, caught.value.why)
        assert isinstance(caught.value, ModelDataUnusable)


async def test_our_own_buckets_come_before_those_elsewhere(store: ObjectStore, tmp_path: Path) -> None:
    elsewhere = Elsewhere()
    elsewhere.gate.set()
    await store.objects.put("attic", "model.tar.gz", payload=Payload(b"ours"))
    model_data = await reader(store, tmp_path, EmbeddedSource(store), elsewhere)
    assert b"ours" == (await model_data.fetch(URL)).path.read_bytes()
    assert b"elsewhere" == (await model_data.fetch("s3://other/model.tar.gz")).path.read_bytes()


async def test_many_who_ask_at_once_share_a_download_that_outlives_any(store: ObjectStore, tmp_path: Path) -> None:
    elsewhere = Elsewhere()
    model_data = await reader(store, tmp_path, elsewhere)
    asking = [asyncio.create_task(model_data.fetch(URL)) for _ in range(5)]
    while not elsewhere.downloads:
        await asyncio.sleep(0)
    asking[0].cancel()
    elsewhere.gate.set()
    files = await asyncio.gather(*asking[1:])
    assert 1 == len(set(files))
    assert 1 == elsewhere.downloads


async def test_an_object_deleted_on_the_way_leaves_no_file(store: ObjectStore, tmp_path: Path) -> None:
    class Vanishing(EmbeddedSource):
        async def etag(self, location: ObjectLocation) -> str:
            etag = await super().etag(location)
            await store.objects.delete("attic", Target(location.key))
            return etag

    await store.objects.put("attic", "model.tar.gz", payload=Payload(b"x"))
    model_data = await reader(store, tmp_path, Vanishing(store))
    with pytest.raises(ModelDataUnreadable):
        await model_data.fetch(URL)
    assert [] == list((tmp_path / "archives").iterdir())


def test_the_least_recently_used_archive_makes_room(tmp_path: Path) -> None:
    cache = ArchiveCache(tmp_path, bytes_max=25)
    cache.prepare()

    def keep(name: str, at: datetime) -> None:
        path = cache.new_path()
        path.write_bytes(b"0123456789")
        cache.keep(path, name, etag="e", sha256="0" * 64, now=at)

    keep("a", NOW)
    keep("b", NOW + timedelta(minutes=1))
    assert cache.find("a", "e", now=NOW + timedelta(minutes=2)) is not None
    keep("c", NOW + 2 * GRACE)
    assert cache.find("b", "e", now=NOW + 2 * GRACE) is None
    assert cache.find("a", "e", now=NOW + 2 * GRACE) is not None
    keep("d", NOW + 2 * GRACE)  # nothing is old enough to go
    assert 3 == len(list(tmp_path.iterdir()))


def test_a_download_that_never_ended_is_cleared_away(tmp_path: Path) -> None:
    cache = ArchiveCache(tmp_path / "archives", bytes_max=1)
    cache.prepare()
    cache.new_path().write_bytes(b"half")
    cache.prepare()
    assert [] == list((tmp_path / "archives").iterdir())


@pytest.mark.parametrize(
    ("url", "bucket", "key"),
    [
        ("s3://b/k/with/slashes", "b", "k/with/slashes"),
        ("https://b.s3.eu-west-1.amazonaws.com/k%20y", "b", "k y"),
        ("https://b.with.dots.s3.amazonaws.com/k", "b.with.dots", "k"),
        ("https://s3.us-west-2.amazonaws.com/b/k", "b", "k"),
        ("https://s3-us-west-2.amazonaws.com/b/k", "b", "k"),
    ],
)
def test_urls_of_objects(url: str, bucket: str, key: str) -> None:
    assert ObjectLocation(bucket, key) == parse_model_url(url)


@pytest.mark.parametrize("url", ["https://example.com/b/k", "http://s3.amazonaws.com/b/k", "s3:///k", "b/k", ""])
def test_urls_of_anything_else(url: str) -> None:
    assert parse_model_url(url) is None

"""Model data in each of its forms: found, fetched once, kept as long as there is room."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

import pytest

from moorage.core.faults import ModelDataUnusable
from moorage.core.model import DataForm, ModelData
from moorage.objects.download import Download
from moorage.objects.intake import Payload
from moorage.objects.model_data import CachedModelData, LocalData, ModelDataUnreadable
from moorage.objects.model_sources import EmbeddedSource, FoundObject, ModelSource, Unreachable, Unreadable
from moorage.objects.model_urls import ObjectLocation
from moorage.objects.object_cache import LocalFile, ObjectCache
from moorage.objects.object_fetcher import ObjectFetcher
from moorage.objects.objects import Target
from moorage.objects.store import ObjectStore
from moorage.system.clock import Clock, SystemClock

ARCHIVE = ModelData("s3://attic/model.tar.gz")
PREFIX = ModelData("s3://attic/models/", DataForm.PREFIX)


class Elsewhere:
    """A source that has every bucket and one object, slow to come, and counts who asks."""

    def __init__(self, *, breaks: Sequence[int] = ()) -> None:
        self.downloads = 0
        self.gate = asyncio.Event()
        self._breaks = [*breaks]
        """After how many bytes the next downloads break off."""

    async def has_bucket(self, bucket: str) -> bool:
        return True

    async def look(self, location: ObjectLocation) -> FoundObject:
        if location.key != "model.tar.gz":
            raise Unreadable("the object does not exist")
        return FoundObject(location, "tag", 9)

    async def list(self, prefix: ObjectLocation, *, limit: int) -> Sequence[FoundObject]:
        return []

    async def download(self, found: FoundObject, download: Download) -> None:
        self.downloads += 1
        await self.gate.wait()
        rest = b"elsewhere"[download.size :]
        if self._breaks:
            download.write(rest[: self._breaks.pop(0)])
            raise Unreachable("the connection was reset")
        download.write(rest)


class LateCache(ObjectCache):
    """Whoever looks while `is_late` hears what was there only once `told` is set."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, bytes_max=1_000_000)
        self.is_late = False
        self.looked, self.told = threading.Event(), threading.Event()

    def find(self, objects: Iterable[tuple[str, str]], *, now: datetime) -> list[LocalFile | None]:
        is_late, found = self.is_late, super().find(objects, now=now)
        if is_late:
            self.looked.set()
            self.told.wait(60)
        return found


async def reader(
    store: ObjectStore,
    folder: Path,
    *sources: ModelSource,
    clock: Clock | None = None,
    cache: ObjectCache | None = None,
) -> CachedModelData:
    cache = cache or ObjectCache(folder / "archives", bytes_max=1_000_000)
    fetcher = ObjectFetcher(cache, files=store.files, clock=clock or SystemClock())
    await fetcher.prepare()
    return CachedModelData(sources, fetcher)


async def put(store: ObjectStore, key: str, data: bytes) -> None:
    await store.objects.put("attic", key, payload=Payload(data))


def content(local: LocalData) -> dict[str, bytes]:
    return {path: file.path.read_bytes() for path, file in local.files.items()}


class TestArchive:
    async def test_what_is_in_the_store_is_fetched_as_it_is(self, store: ObjectStore, tmp_path: Path) -> None:
        data = b"weights" * 200_000
        made = await store.objects.put("attic", "model.tar.gz", payload=Payload(data), is_sealed=True)
        model_data = await reader(store, tmp_path, EmbeddedSource(store))
        await model_data.check(ARCHIVE)
        local = await model_data.fetch(ARCHIVE)
        [file] = local.files.values()
        assert hashlib.sha256(data).hexdigest() == local.digest == file.sha256
        assert made.etag == file.etag
        assert data == file.path.read_bytes()
        assert 0o444 == file.path.stat().st_mode & 0o777
        assert local == await model_data.fetch(ARCHIVE)
        await put(store, "model.tar.gz", b"new")
        assert {"model.tar.gz": b"new"} == content(await model_data.fetch(ARCHIVE))
        assert data == file.path.read_bytes()

    async def test_only_the_version_asked_for_will_do(self, store: ObjectStore, tmp_path: Path) -> None:
        made = await store.objects.put("attic", "model.tar.gz", payload=Payload(b"first"))
        model_data = await reader(store, tmp_path, EmbeddedSource(store))
        pinned = ModelData(ARCHIVE.uri, etag=f'"{made.etag}"')
        await model_data.check(pinned)
        assert [b"first"] == list(content(await model_data.fetch(pinned)).values())
        await put(store, "model.tar.gz", b"second")
        for ask in (model_data.check, model_data.fetch):
            with pytest.raises(ModelDataUnreadable, match=f'its ETag is [0-9a-f]+ and not "{made.etag}"'):
                await ask(pinned)

    async def test_our_own_buckets_come_before_those_elsewhere(self, store: ObjectStore, tmp_path: Path) -> None:
        elsewhere = Elsewhere()
        elsewhere.gate.set()
        await put(store, "model.tar.gz", b"ours")
        model_data = await reader(store, tmp_path, EmbeddedSource(store), elsewhere)
        assert [b"ours"] == list(content(await model_data.fetch(ARCHIVE)).values())
        other = ModelData("s3://other/model.tar.gz")
        assert [b"elsewhere"] == list(content(await model_data.fetch(other)).values())

    async def test_many_who_ask_at_once_share_a_download_that_outlives_any(
        self, store: ObjectStore, tmp_path: Path
    ) -> None:
        elsewhere = Elsewhere()
        model_data = await reader(store, tmp_path, elsewhere)
        asking = [asyncio.create_task(model_data.fetch(ARCHIVE)) for _ in range(5)]
        while not elsewhere.downloads:
            await asyncio.sleep(0)
        asking[0].cancel()
        elsewhere.gate.set()
        found = await asyncio.gather(*asking[1:])
        assert 1 == len({local.digest for local in found})
        assert 1 == elsewhere.downloads

    async def test_who_looked_before_a_download_had_ended_begins_no_other(
        self, store: ObjectStore, tmp_path: Path
    ) -> None:
        elsewhere, cache = Elsewhere(), LateCache(tmp_path / "archives")
        model_data = await reader(store, tmp_path, elsewhere, cache=cache)
        first = asyncio.create_task(model_data.fetch(ARCHIVE))
        while not elsewhere.downloads:
            await asyncio.sleep(0)
        cache.is_late = True
        second = asyncio.create_task(model_data.fetch(ARCHIVE))
        await asyncio.to_thread(cache.looked.wait, 60)
        cache.is_late = False
        elsewhere.gate.set()
        found = await first
        cache.told.set()
        assert found == await second
        assert 1 == elsewhere.downloads

    async def test_a_download_goes_on_where_it_broke_off(self, store: ObjectStore, tmp_path: Path) -> None:
        elsewhere = Elsewhere(breaks=[4, 3])
        elsewhere.gate.set()
        model_data = await reader(store, tmp_path, elsewhere)
        assert [b"elsewhere"] == list(content(await model_data.fetch(ARCHIVE)).values())
        assert 3 == elsewhere.downloads

    async def test_a_download_that_comes_no_further_is_given_up(self, store: ObjectStore, tmp_path: Path) -> None:
        elsewhere = Elsewhere(breaks=[4, 0])
        elsewhere.gate.set()
        model_data = await reader(store, tmp_path, elsewhere)
        with pytest.raises(Unreachable):
            await model_data.fetch(ARCHIVE)
        assert [] == list((tmp_path / "archives").iterdir())

    async def test_how_far_a_long_download_has_come_is_said(self, store: ObjectStore, tmp_path: Path) -> None:
        class Hasty(SystemClock):
            async def sleep(self, seconds: float) -> None:
                await asyncio.sleep(0.001)

        said: list[str] = []

        async def say(text: str) -> None:
            said.append(text)
            elsewhere.gate.set()

        elsewhere = Elsewhere()
        model_data = await reader(store, tmp_path, elsewhere, clock=Hasty())
        await model_data.fetch(ARCHIVE, say)
        assert "downloading s3://attic/model.tar.gz: 0 bytes of 9 bytes, 0 of 1 objects" == said[0]
        said.clear()
        await model_data.fetch(ARCHIVE, say)
        assert [] == said

    async def test_an_object_deleted_on_the_way_leaves_no_file(self, store: ObjectStore, tmp_path: Path) -> None:
        class Vanishing(EmbeddedSource):
            async def look(self, location: ObjectLocation) -> FoundObject:
                found = await super().look(location)
                await store.objects.delete("attic", Target(location.key))
                return found

        await put(store, "model.tar.gz", b"x")
        model_data = await reader(store, tmp_path, Vanishing(store))
        with pytest.raises(ModelDataUnreadable):
            await model_data.fetch(ARCHIVE)
        assert [] == list((tmp_path / "archives").iterdir())


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (ModelData("s3://attic/none"), "the object does not exist"),
        (ModelData("s3://nowhere/model.tar.gz"), "the bucket does not exist"),
        (ModelData("ftp://attic/model.tar.gz"), "it is not the URL of an object in S3"),
        (ModelData("s3://attic"), "it is not the URL of an object in S3"),
        (ModelData("s3://attic/none", DataForm.OBJECT), "the object does not exist"),
        (ModelData("s3://attic/none/", DataForm.PREFIX), "there is no object below it"),
        (ModelData("s3://nowhere/none/", DataForm.PREFIX), "the bucket does not exist"),
    ],
    ids=str,
)
async def test_what_cannot_be_read_is_said(store: ObjectStore, tmp_path: Path, data: ModelData, why: str) -> None:
    model_data = await reader(store, tmp_path, EmbeddedSource(store))
    for ask in (model_data.check, model_data.fetch):
        with pytest.raises(ModelDataUnreadable) as caught:
            await ask(data)
        assert (data.uri, why) == (caught.value.url, caught.value.why)
        assert isinstance(caught.value, ModelDataUnusable)


async def test_a_bucket_may_be_asked_for_alone(store: ObjectStore, tmp_path: Path) -> None:
    model_data = await reader(store, tmp_path, EmbeddedSource(store))
    await model_data.check_bucket(PREFIX)
    with pytest.raises(ModelDataUnreadable, match="the bucket does not exist"):
        await model_data.check_bucket(ModelData("s3://nowhere/models/", DataForm.PREFIX))


async def test_a_single_object_is_a_file_of_the_last_part_of_its_key(store: ObjectStore, tmp_path: Path) -> None:
    await put(store, "a/b/iris.joblib", b"forest")
    model_data = await reader(store, tmp_path, EmbeddedSource(store))
    local = await model_data.fetch(ModelData("s3://attic/a/b/iris.joblib", DataForm.OBJECT))
    assert {"iris.joblib": b"forest"} == content(local)


class TestPrefix:
    async def test_every_object_is_a_file_at_the_rest_of_its_key(self, store: ObjectStore, tmp_path: Path) -> None:
        for key in ("models/weights.bin", "models/code/inference.py", "models/folder/", "other/weights.bin"):
            await put(store, key, b"" if key.endswith("/") else key.encode())
        model_data = await reader(store, tmp_path, EmbeddedSource(store))
        await model_data.check(PREFIX)
        expected = {"weights.bin": b"models/weights.bin", "code/inference.py": b"models/code/inference.py"}
        assert expected == content(await model_data.fetch(PREFIX))

    async def test_the_digest_names_paths_and_contents_alone(self, store: ObjectStore, tmp_path: Path) -> None:
        for key in ("models/a", "models/b", "again/a", "again/b"):
            await put(store, key, key[-1].encode())
        await put(store, "swapped/a", b"b")
        await put(store, "swapped/b", b"a")
        model_data = await reader(store, tmp_path, EmbeddedSource(store))

        async def digest(folder: str) -> str:
            return (await model_data.fetch(ModelData(f"s3://attic/{folder}/", DataForm.PREFIX))).digest

        assert await digest("models") == await digest("again")
        assert await digest("models") != await digest("swapped")
        sha256 = hashlib.sha256(b"b").hexdigest()
        await put(store, f"one/a\n{sha256} b", b"a")
        assert await digest("models") != await digest("one"), "a name that looks like two lines"

    async def test_what_changes_on_the_way_is_looked_at_again(self, store: ObjectStore, tmp_path: Path) -> None:
        changes = [
            lambda: put(store, "models/a", b"replaced"),
            lambda: store.objects.delete("attic", Target("models/b")),
            lambda: put(store, "models/c", b"joined"),
        ]

        class Restless(EmbeddedSource):
            """Whose objects change right behind the one who looks."""

            async def list(self, prefix: ObjectLocation, *, limit: int) -> Sequence[FoundObject]:
                found = await super().list(prefix, limit=limit)
                if changes:
                    await changes.pop(0)()
                return found

        await put(store, "models/a", b"a")
        await put(store, "models/b", b"b")
        model_data = await reader(store, tmp_path, Restless(store))
        assert {"a": b"replaced", "c": b"joined"} == content(await model_data.fetch(PREFIX))

    async def test_what_never_stops_changing_is_given_up(self, store: ObjectStore, tmp_path: Path) -> None:
        class Never(EmbeddedSource):
            async def download(self, found: FoundObject, download: Download) -> None:
                await put(store, found.location.key, download.path.name.encode())
                await super().download(found, download)

        await put(store, "models/a", b"a")
        model_data = await reader(store, tmp_path, Never(store))
        with pytest.raises(ModelDataUnreadable, match="it keeps changing"):
            await model_data.fetch(PREFIX)

    async def test_what_was_fetched_is_not_fetched_again(self, store: ObjectStore, tmp_path: Path) -> None:
        keys: list[str] = []

        class Counting(EmbeddedSource):
            async def download(self, found: FoundObject, download: Download) -> None:
                keys.append(found.location.key)
                await super().download(found, download)

        await put(store, "models/a", b"a")
        await put(store, "models/b", b"b")
        first = await reader(store, tmp_path, Counting(store))
        await first.fetch(PREFIX)
        await put(store, "models/b", b"new")
        second = await reader(store, tmp_path, Counting(store))  # as after a restart
        assert {"a": b"a", "b": b"new"} == content(await second.fetch(PREFIX))
        assert ["models/a", "models/b", "models/b"] == sorted(keys)

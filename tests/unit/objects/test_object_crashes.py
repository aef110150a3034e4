"""The power fails at every step of a day's work: what was acknowledged is there, whole; nothing else takes up space."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import Literal

import pytest

from moorage.objects.disk import Disk
from moorage.objects.errors import Rejected
from moorage.objects.intake import Payload
from moorage.objects.objects import Target
from moorage.objects.records import PartClaim
from moorage.objects.store import ObjectStore, open_object_store
from moorage.objects.uploads import Completion
from moorage.system.clock import SystemClock
from moorage.testing.faulty_disk import MortalDisk, PowerCut


async def open_store(folder: Path, disk: Disk | None = None) -> ObjectStore:
    return await open_object_store(folder / "objects", key_path=folder / "key", clock=SystemClock(), disk=disk)


class Day:
    """The work, and what has been acknowledged of it: content by key, None once deleted."""

    def __init__(self) -> None:
        self.acknowledged: dict[str, bytes | None] = {}
        self.attempted: dict[str, bytes | None] = {}

    async def work(self, store: ObjectStore) -> None:
        await store.buckets.create("attic", "us-east-1")
        await self._put(store, "k", b"first")
        await self._put(store, "sealed", b"secret", is_sealed=True)
        await self._put(store, "k", b"second")
        await self._upload(store)
        await self._delete(store, "sealed")
        await self._put(store, "last", b"")

    async def _put(self, store: ObjectStore, key: str, data: bytes, *, is_sealed: bool = False) -> None:
        self.attempted[key] = data
        await store.objects.put("attic", key, payload=Payload(data), is_sealed=is_sealed)
        self.acknowledged[key] = data

    async def _upload(self, store: ObjectStore) -> None:
        self.attempted["parts"] = b"part"
        upload = await store.uploads.begin("attic", "parts")
        for number, data in ((1, b"surplus"), (2, b"lost")):
            await store.uploads.put_part(upload, number, payload=Payload(data))
        part = await store.uploads.put_part(upload, 2, payload=Payload(b"part"))
        completion = Completion([PartClaim(2, part.etag)])
        await store.uploads.complete("attic", "parts", upload.upload_id, completion=completion)
        self.acknowledged["parts"] = b"part"

    async def _delete(self, store: ObjectStore, key: str) -> None:
        self.attempted[key] = None
        await store.objects.delete("attic", Target(key))
        self.acknowledged[key] = None


async def found(store: ObjectStore, key: str) -> bytes | None:
    try:
        opened = await store.objects.open("attic", key)
    except Rejected:
        return None
    return b"".join([piece async for piece in opened.stream(0, opened.version.size)])


async def live(folder: Path, steps: int, last: Literal["done", "not done"]) -> bool:
    """A day that ends after `steps` steps, and the morning after. Whether the day ended early."""
    folder.mkdir()
    disk, day = MortalDisk(steps, last), Day()
    with contextlib.suppress(PowerCut):
        store = await open_store(folder, disk)
        try:
            await day.work(store)
        finally:
            with contextlib.suppress(PowerCut):
                await store.close()
    store = await open_store(folder)
    for key, data in day.attempted.items():
        assert await found(store, key) in {day.acknowledged.get(key), data}
        if day.acknowledged.get(key) == data:
            assert data == await found(store, key)
    await store.close()
    check_blobs(folder)
    return disk.is_dead


def check_blobs(folder: Path) -> None:
    """Every blob is named and every named blob is there."""
    with contextlib.closing(sqlite3.connect(folder / "objects/index.db")) as connection:
        named = connection.execute("SELECT blob_id FROM extents UNION ALL SELECT blob_id FROM parts").fetchall()
    assert sorted(name for (name,) in named) == sorted(path.name for path in folder.glob("objects/blobs/??/*"))
    assert [] == list(folder.glob("objects/incoming/*"))


@pytest.mark.parametrize("last", ["done", "not done"])
async def test_nothing_acknowledged_is_lost_and_nothing_else_is_kept(
    memory_path: Path, last: Literal["done", "not done"]
) -> None:
    steps = 2  # those before are the making of folders
    while await live(memory_path / str(steps), steps, last):
        steps += 1
    assert steps > 30

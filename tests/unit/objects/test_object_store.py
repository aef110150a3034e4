"""Putting and opening objects: what is kept, what is refused, and what stays readable."""

from __future__ import annotations

import asyncio
import hashlib
import stat
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from moorage.objects.checksums import Algorithm
from moorage.objects.conditions import WriteCondition
from moorage.objects.errors import Damaged, Reason, Rejected, StorageUnavailable
from moorage.objects.intake import Payload
from moorage.objects.objects import Target
from moorage.objects.records import Attributes, Versioning
from moorage.objects.sealing import SEGMENT_BYTES
from moorage.objects.store import ObjectStore, open_object_store
from moorage.system.clock import SystemClock
from moorage.testing.faulty_disk import FullDisk

PIECE = bytes(range(256)) * 1024


async def content(store: ObjectStore, key: str, *, start: int = 0, size: int | None = None) -> bytes:
    opened = await store.objects.open("attic", key)
    wanted = opened.version.size - start if size is None else size
    return b"".join([piece async for piece in opened.stream(start, wanted)])


async def pieces(count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield PIECE


def blobs(folder: Path) -> list[Path]:
    return [*folder.glob("objects/blobs/??/*"), *folder.glob("objects/incoming/*")]


async def test_an_object_is_given_back_as_it_was_put(store: ObjectStore) -> None:
    attributes = Attributes({"ContentType": "text/plain"}, {"colour": "blue"}, {"team": "a"})
    put = await store.objects.put("attic", "k", payload=Payload(b"hello"), attributes=attributes)
    found = await store.objects.find("attic", "k")
    assert put == found
    assert attributes == found.attributes
    assert hashlib.md5(b"hello").hexdigest() == found.etag
    assert b"hello" == await content(store, "k")


async def test_objects_outlive_the_process(store: ObjectStore, tmp_path: Path) -> None:
    await store.objects.put("attic", "k", payload=Payload(b"sealed"), is_sealed=True)
    await store.close()
    again = await open_object_store(tmp_path / "objects", key_path=tmp_path / "key", clock=SystemClock())
    assert b"sealed" == await content(again, "k")
    await again.close()


async def test_a_lost_key_is_said_and_not_replaced(store: ObjectStore, tmp_path: Path) -> None:
    await store.objects.put("attic", "k", payload=Payload(b"sealed"), is_sealed=True)
    await store.close()
    (tmp_path / "key").rename(tmp_path / "lost")
    lost = r"key is missing, and what is encrypted in .*objects cannot be read without it"
    with pytest.raises(ValueError, match=lost):
        await open_object_store(tmp_path / "objects", key_path=tmp_path / "key", clock=SystemClock())
    (tmp_path / "lost").rename(tmp_path / "key")
    again = await open_object_store(tmp_path / "objects", key_path=tmp_path / "key", clock=SystemClock())
    assert b"sealed" == await content(again, "k")
    await again.close()


async def test_the_folder_is_closed_to_other_users_even_if_it_was_open(tmp_path: Path) -> None:
    folder = tmp_path / "objects"
    folder.mkdir(mode=0o755)
    opened = await open_object_store(folder, key_path=tmp_path / "key", clock=SystemClock())
    await opened.close()
    assert 0o700 == stat.S_IMODE(folder.stat().st_mode)


@pytest.mark.parametrize("is_sealed", [False, True])
@pytest.mark.parametrize("size", [0, 1, SEGMENT_BYTES - 1, SEGMENT_BYTES, SEGMENT_BYTES + 1, 3 * SEGMENT_BYTES])
async def test_any_range_of_any_size_is_the_slice(store: ObjectStore, size: int, is_sealed: bool) -> None:
    data = hashlib.shake_128(b"seed").digest(size)
    await store.objects.put("attic", "k", payload=Payload(data), is_sealed=is_sealed)
    assert data == await content(store, "k")
    for start in {0, 1, size // 2, SEGMENT_BYTES - 2, SEGMENT_BYTES, size - 1} & set(range(size)):
        for length in {1, 3, size - start} & set(range(size - start + 1)):
            assert data[start : start + length] == await content(store, "k", start=start, size=length)


async def test_sealed_content_is_not_on_the_disk(store: ObjectStore, tmp_path: Path) -> None:
    secret = b"the model's weights" * 10_000
    await store.buckets.set_sealing("attic", True)
    version = await store.objects.put("attic", "k", payload=Payload(secret))
    assert version.is_sealed
    [blob] = blobs(tmp_path)
    assert b"weights" not in blob.read_bytes()
    assert 0o600 == (tmp_path / "key").stat().st_mode & 0o777


async def test_an_altered_or_shortened_blob_is_noticed(store: ObjectStore, tmp_path: Path) -> None:
    await store.objects.put("attic", "k", payload=Payload(b"x" * 2 * SEGMENT_BYTES), is_sealed=True)
    [blob] = blobs(tmp_path)
    whole = blob.read_bytes()
    blob.chmod(0o600)
    for damaged in (whole[:-1], whole[: len(whole) // 2], bytes([whole[0] ^ 1]) + whole[1:]):
        blob.write_bytes(damaged)
        with pytest.raises(Damaged):
            await content(store, "k")


async def test_what_is_being_read_can_be_overwritten_and_deleted(store: ObjectStore, tmp_path: Path) -> None:
    await store.objects.put("attic", "k", payload=Payload(pieces(8)))
    opened = await store.objects.open("attic", "k")
    stream = opened.stream(0, opened.version.size)
    held = await anext(stream)
    await store.objects.put("attic", "k", payload=Payload(b"new"))
    await store.objects.delete("attic", Target("k"))
    held += b"".join([piece async for piece in stream])
    assert PIECE * 8 == held
    await store.close()
    assert [] == blobs(tmp_path)


async def test_a_stream_closed_before_its_first_piece_lets_the_object_go(store: ObjectStore, tmp_path: Path) -> None:
    await store.objects.put("attic", "k", payload=Payload(b"x"))
    opened = await store.objects.open("attic", "k")
    await opened.stream(0, 1).aclose()
    await store.objects.delete("attic", Target("k"))
    await store.close()
    assert [] == blobs(tmp_path)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (Payload(b"x", md5="AAAAAAAAAAAAAAAAAAAAAA=="), Reason.MD5_MISMATCH),
        (Payload(b"x", algorithm=Algorithm.CRC32, promised=lambda: "AAAAAA=="), Reason.CHECKSUM_MISMATCH),
        (Payload(b"x", size=2), Reason.SIZE_MISMATCH),
    ],
)
async def test_content_that_is_not_as_promised_is_refused(
    store: ObjectStore, tmp_path: Path, payload: Payload, reason: Reason
) -> None:
    with pytest.raises(Rejected) as caught:
        await store.objects.put("attic", "k", payload=payload)
    assert reason is caught.value.reason
    assert [] == blobs(tmp_path)


async def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    store = await open_object_store(
        tmp_path / "objects", key_path=tmp_path / "key", clock=SystemClock(), disk=FullDisk(3_000_000)
    )
    await store.buckets.create("attic", "us-east-1")
    await store.objects.put("attic", "small", payload=Payload(b"fits"))
    with pytest.raises(StorageUnavailable, match="No space left"):
        await store.objects.put("attic", "large", payload=Payload(pieces(20)))
    with pytest.raises(Rejected):
        await store.objects.find("attic", "large")
    assert 1 == len(blobs(tmp_path))
    assert b"fits" == await content(store, "small")
    await store.close()


async def test_an_upload_that_is_cancelled_leaves_nothing(store: ObjectStore, tmp_path: Path) -> None:
    started = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield PIECE * 8
            started.set()

    upload = asyncio.create_task(store.objects.put("attic", "k", payload=Payload(endless())))
    await started.wait()
    upload.cancel()
    with pytest.raises(asyncio.CancelledError):
        await upload
    await store.close()
    assert [] == blobs(tmp_path)


async def test_of_many_who_create_the_same_key_one_succeeds(store: ObjectStore, tmp_path: Path) -> None:
    condition = WriteCondition(if_none_match=True)
    results = await asyncio.gather(
        *(store.objects.put("attic", "lock", payload=Payload(b"%d" % n), condition=condition) for n in range(8)),
        return_exceptions=True,
    )
    refused = [result for result in results if isinstance(result, Rejected)]
    assert [Reason.PRECONDITION_FAILED] * 7 == [refusal.reason for refusal in refused]
    await store.close()
    assert 1 == len(blobs(tmp_path))


async def test_versions_stay_until_they_are_deleted_by_id(store: ObjectStore) -> None:
    await store.objects.put("attic", "k", payload=Payload(b"before"))
    await store.buckets.set_versioning("attic", Versioning.ENABLED)
    second = await store.objects.put("attic", "k", payload=Payload(b"second"))
    marker = await store.objects.delete("attic", Target("k"))
    with pytest.raises(Rejected) as caught:
        await store.objects.find("attic", "k")
    assert Reason.DELETED is caught.value.reason
    assert second.etag == (await store.objects.find("attic", "k", second.version_id)).etag
    await store.objects.delete("attic", Target("k", marker.version_id))
    assert b"second" == await content(store, "k")
    await store.objects.delete("attic", Target("k", second.version_id))
    assert b"before" == await content(store, "k")


async def test_memory_does_not_grow_with_the_object(store: ObjectStore) -> None:
    await store.objects.put("attic", "warm-up", payload=Payload(pieces(8)))
    tracemalloc.start()
    try:
        await store.objects.put("attic", "k", payload=Payload(pieces(256)), is_sealed=True)
        opened = await store.objects.open("attic", "k")
        size = sum([len(piece) async for piece in opened.stream(0, opened.version.size)])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert 256 * len(PIECE) == size
    assert peak < size / 4

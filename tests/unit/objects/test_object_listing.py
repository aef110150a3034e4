"""Pages of keys: any prefix, delimiter and page size, put together, are the whole list, folded."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moorage.objects.errors import Reason, Rejected
from moorage.objects.intake import Payload
from moorage.objects.listing import Selection, stem_of, successor
from moorage.objects.objects import Target
from moorage.objects.records import ObjectVersion, Versioning
from moorage.objects.store import ObjectStore, open_object_store
from moorage.system.clock import SystemClock

TEXT = st.text(st.sampled_from("ab/é\ud7ff\ue000\U0010ffff"), max_size=4)


def brute_force(keys: set[str], prefix: str, delimiter: str) -> list[str]:
    """Keys and stems in order, stems once."""
    selection = Selection("attic", prefix, delimiter)
    entries = {stem_of(selection, key) or key for key in keys if key.startswith(prefix)}
    return sorted(entries)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sets(TEXT.filter(bool), max_size=8), st.data())
def test_pages_add_up_to_the_whole(memory_path: Path, keys: set[str], data: st.DataObject) -> None:
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:  # leaves the thread's own loop alone
        runner.run(_pages_add_up(Path(tempfile.mkdtemp(dir=memory_path)), keys, data))


async def _pages_add_up(folder: Path, keys: set[str], data: st.DataObject) -> None:
    store = await open_object_store(folder / "objects", key_path=folder / "key", clock=SystemClock())
    try:
        await store.buckets.create("attic", "us-east-1")
        for key in keys:
            await store.objects.put("attic", key, payload=Payload(b""))
        for _ in range(8):
            prefix, delimiter = data.draw(TEXT), data.draw(st.sampled_from(["", "/", "a", "é/"]))
            selection = Selection("attic", prefix, delimiter, limit=data.draw(st.integers(1, 4)))
            assert brute_force(keys, prefix, delimiter) == await _all_pages(store, selection)
            assert brute_force(keys, prefix, delimiter) == await _all_version_pages(store, selection)
    finally:
        await store.close()


async def _all_pages(store: ObjectStore, selection: Selection) -> list[str]:
    entries: list[str] = []
    after, more = "", True
    while more:
        page = await store.objects.list(selection, after=after)
        names = [*(version.key for version in page.rows), *page.stems]
        assert len(names) <= selection.limit
        entries += sorted(names)
        after, more = _name(page.last), page.is_truncated
    return entries


async def _all_version_pages(store: ObjectStore, selection: Selection) -> list[str]:
    entries: list[str] = []
    after: ObjectVersion | str | None = ""
    more = True
    while more:
        version_id = after.version_id if isinstance(after, ObjectVersion) else None
        page = await store.objects.list_versions(selection, after_key=_name(after), after_version=version_id)
        entries += sorted([*(version.key for version in page.rows), *page.stems])
        after, more = page.last, page.is_truncated
    return entries


def _name(entry: ObjectVersion | str | None) -> str:
    return entry.key if isinstance(entry, ObjectVersion) else entry or ""


@given(TEXT, TEXT)
def test_the_successor_is_above_all_that_begin_so(prefix: str, rest: str) -> None:
    following = successor(prefix)
    if following is None:
        assert set(prefix) <= {"\U0010ffff"}
    else:
        assert prefix + rest < following


async def test_emptying_a_bucket_page_by_page_misses_nothing(store: ObjectStore) -> None:
    await store.buckets.set_versioning("attic", Versioning.ENABLED)
    for _ in range(5):
        await store.objects.put("attic", "k", payload=Payload(b""))
    after_key, after_version = "", None
    for _ in range(3):
        page = await store.objects.list_versions(
            Selection("attic", limit=2), after_key=after_key, after_version=after_version
        )
        await store.objects.delete_many("attic", [Target(row.key, row.version_id) for row in page.rows])
        after_key, after_version = page.rows[-1].key, page.rows[-1].version_id
    await store.buckets.delete("attic")


async def test_a_bucket_that_is_not_there_is_said(store: ObjectStore) -> None:
    for listing in (store.objects.list, store.objects.list_versions, store.uploads.list):
        with pytest.raises(Rejected) as caught:
            await listing(Selection("nowhere"))
        assert Reason.NO_SUCH_BUCKET is caught.value.reason

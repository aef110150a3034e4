"""Calls that share a commit: neighbours, failures, the end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy.exc import OperationalError, ProgrammingError

from moorage.store.base import AlreadyExists, ListQuery, Store, StoreUnavailable, Transaction
from moorage.store.sql import open_store
from moorage.testing.store_suite import make_document


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = open_store(tmp_path / "state.db")
    yield store
    await store.close()


async def together(store: Store, *works: object) -> list[object]:
    """Run all of `works` in one batch, by holding up the store's thread until they are queued."""
    entered, gate = threading.Event(), threading.Event()
    first = asyncio.ensure_future(store.run(lambda tx: (entered.set(), gate.wait(60))))
    await asyncio.to_thread(entered.wait, 60)
    rest = [asyncio.ensure_future(store.run(work)) for work in works]  # type: ignore[arg-type]
    await asyncio.sleep(0)
    gate.set()
    await first
    return await asyncio.gather(*rest, return_exceptions=True)


def insert(name: str) -> object:
    return lambda tx: tx.models.insert(make_document(name))


async def stored(store: Store) -> list[str]:
    query = ListQuery("us-east-1", 100, sort_by="Name", ascending=True)
    page = await store.run(lambda tx: tx.models.list(query))
    return [row.name for row in page.rows]


async def test_a_failing_neighbour_takes_back_only_its_own(store: Store) -> None:
    def fails(tx: Transaction) -> None:
        tx.models.insert(make_document("b"))
        raise LookupError("on purpose")

    answers = await together(store, insert("a"), fails, insert("a"), insert("c"))
    assert [type(None), LookupError, AlreadyExists, type(None)] == [type(answer) for answer in answers]
    assert ["a", "c"] == await stored(store)


async def test_a_wrong_statement_is_its_own_fault_alone(store: Store) -> None:
    def wrong(tx: Transaction) -> None:
        raise ProgrammingError("SELECT", {}, Exception("near SELECT"))

    answers = await together(store, insert("a"), wrong)
    assert [type(None), ProgrammingError] == [type(answer) for answer in answers]
    assert ["a"] == await stored(store)


async def test_when_the_disk_is_full_nobody_is_told_of_success(store: Store) -> None:
    def full(tx: Transaction) -> None:
        raise OperationalError("INSERT", {}, Exception("database or disk is full"))

    answers = await together(store, insert("a"), full, insert("b"))
    assert [StoreUnavailable] * 3 == [type(answer) for answer in answers]
    assert "disk is full" in str(answers[0])
    assert [] == await stored(store)


async def test_more_than_a_batch_at_once(store: Store) -> None:
    answers = await together(store, *(insert(f"m{number:03}") for number in range(99)))
    assert [None] * 99 == answers
    assert 99 == len(await stored(store))


async def test_a_cancelled_caller_does_not_hold_up_others(store: Store) -> None:
    task = asyncio.ensure_future(store.run(lambda tx: None))
    await asyncio.sleep(0)
    task.cancel()
    assert [] == await stored(store)


async def test_closing_finishes_what_was_asked_for(tmp_path: Path) -> None:
    store = open_store(tmp_path / "state.db")
    write = asyncio.ensure_future(store.run(lambda tx: tx.models.insert(make_document("a"))))
    await asyncio.sleep(0)
    await store.close()
    await write
    await store.close()
    with pytest.raises(StoreUnavailable):
        await store.run(lambda tx: None)
    again = open_store(tmp_path / "state.db")
    assert ["a"] == await stored(again)
    await again.close()


async def test_what_is_asked_for_while_it_closes_is_done_or_refused(store: Store) -> None:
    worker = store._worker  # type: ignore[attr-defined]
    closing = threading.Thread(target=worker.close)
    put = worker._waiting.put

    def put_late(item: object) -> None:
        if item is not None:
            closing.start()
            closing.join(0.1)  # it gets as far as it can by then
        put(item)

    worker._waiting = SimpleNamespace(put=put_late, get=worker._waiting.get, get_nowait=worker._waiting.get_nowait)
    async with asyncio.timeout(60):
        assert "done" == await store.run(lambda tx: "done")
    await asyncio.to_thread(closing.join)


async def test_a_real_full_database_is_unavailable_and_recovers(tmp_path: Path) -> None:
    store = open_store(tmp_path / "state.db")

    async def limit_pages(count: int) -> None:
        await store.run(lambda tx: tx.models.connection.exec_driver_sql(f"PRAGMA max_page_count={count}").all())

    await limit_pages(60)
    with pytest.raises(StoreUnavailable, match="disk is full"):
        await store.run(lambda tx: [tx.models.insert(make_document(str(number))) for number in range(9999)])
    await limit_pages(100_000)
    await store.run(lambda tx: tx.models.insert(make_document("recovered")))
    await store.close()


async def test_reading_waits_for_nobody_who_writes(store: Store) -> None:
    await store.run(insert("a"))  # type: ignore[arg-type]
    entered, gate = threading.Event(), threading.Event()

    def slow(tx: Transaction) -> None:
        tx.models.insert(make_document("b"))
        entered.set()
        gate.wait(60)

    writing = asyncio.ensure_future(store.run(slow))
    await asyncio.to_thread(entered.wait, 60)
    try:
        found = await store.read(lambda tx: tx.models.list(ListQuery("us-east-1", 100)))
        assert ["a"] == [row.name for row in found.rows]
    finally:
        gate.set()
        await writing


async def test_who_only_reads_can_change_nothing(store: Store) -> None:
    with pytest.raises(StoreUnavailable, match="readonly"):
        await store.read(insert("a"))  # type: ignore[arg-type]
    assert [] == await stored(store)


async def test_a_store_that_was_closed_is_read_no_more(tmp_path: Path) -> None:
    store = open_store(tmp_path / "other.db")
    await store.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        await store.read(lambda tx: tx.endpoints.keys())

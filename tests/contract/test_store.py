"""The store contract, for every store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from moorage.store.base import Store, StoreUnavailable
from moorage.store.sql import open_store
from moorage.testing.memory_store import MemoryStore
from moorage.testing.store_suite import StoreSuite
from moorage.testing.traffic_suite import TrafficSuite


class TestSqliteStore(StoreSuite, TrafficSuite):
    @pytest.fixture
    async def store(self, tmp_path: Path) -> AsyncIterator[Store]:
        store = open_store(tmp_path / "state.db")
        yield store
        await store.close()


class TestMemoryStore(StoreSuite, TrafficSuite):
    @pytest.fixture
    def store(self) -> Store:
        return MemoryStore()


async def test_the_fake_fails_like_a_full_disk() -> None:
    store = MemoryStore()
    store.unavailable = True
    with pytest.raises(StoreUnavailable):
        await store.run(lambda tx: tx.endpoints.keys())

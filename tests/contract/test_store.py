"""The store contract, for every store."""

from __future__ import annotations

import pytest

from moorage.store.base import Store, StoreUnavailable
from moorage.testing.memory_store import MemoryStore
from moorage.testing.store_suite import StoreSuite


class TestMemoryStore(StoreSuite):
    @pytest.fixture
    def store(self) -> Store:
        return MemoryStore()


async def test_the_fake_fails_like_a_full_disk() -> None:
    store = MemoryStore()
    store.unavailable = True
    with pytest.raises(StoreUnavailable):
        await store.run(lambda tx: tx.endpoints.keys())

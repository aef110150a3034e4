"""A store in a folder of its own for every test of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from moorage.objects.store import ObjectStore, open_object_store
from moorage.system.clock import SystemClock
from moorage.testing.memory_folder import memory_folder


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[ObjectStore]:
    """An open store with one bucket, `attic`."""
    opened = await open_object_store(tmp_path / "objects", key_path=tmp_path / "key", clock=SystemClock())
    await opened.buckets.create("attic", "us-east-1")
    yield opened
    await opened.close()


@pytest.fixture
def memory_path() -> Iterator[Path]:
    """A folder in memory."""
    with memory_folder() as folder:
        yield folder

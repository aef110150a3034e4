"""A store in a folder of its own for every test of it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from moorage.objects.store import ObjectStore, open_object_store
from moorage.system.clock import SystemClock


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[ObjectStore]:
    """An open store with one bucket, `attic`."""
    opened = await open_object_store(tmp_path / "objects", key_path=tmp_path / "key", clock=SystemClock())
    await opened.buckets.create("attic", "us-east-1")
    yield opened
    await opened.close()


@pytest.fixture
def memory_path() -> Iterator[Path]:
    """A folder in memory where there is one: for tests that sync a thousand times and pull no plug."""
    shared = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="moorage-", dir=shared if shared.is_dir() else None))
    yield folder
    shutil.rmtree(folder)

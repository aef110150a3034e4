"""A folder in memory, where there is one, for tests that sync a thousand times and pull no plug."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SHARED_MEMORY = Path("/dev/shm")


def new_memory_folder() -> Path:
    """A new folder, for the caller to remove."""
    return Path(tempfile.mkdtemp(prefix="moorage-", dir=_SHARED_MEMORY if _SHARED_MEMORY.is_dir() else None))


@contextmanager
def memory_folder() -> Iterator[Path]:
    """A new folder for the length of the context."""
    folder = new_memory_folder()
    try:
        yield folder
    finally:
        shutil.rmtree(folder)

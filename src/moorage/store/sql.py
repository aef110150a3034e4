"""The store in a SQL database."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Engine

from moorage.store.base import Store, Transaction
from moorage.store.engine import sqlite_engine, sqlite_reading_engine
from moorage.store.readers import Readers
from moorage.store.schema import bring_up_to_date
from moorage.store.worker import Worker

T = TypeVar("T")


def open_store(path: Path) -> Store:
    """The store in the SQLite file at `path`, made if there is none, its schema brought up to date. Blocks.

    Raises StoreUnusable if the file is damaged or a newer Moorage wrote it, StoreUnavailable if it cannot be read or
    written now.
    """
    engine = sqlite_engine(path)
    try:
        bring_up_to_date(engine, name=str(path))
    except BaseException:
        engine.dispose()
        raise
    return SqlStore(engine, sqlite_reading_engine(path))


class SqlStore:
    """One engine and the thread that alone uses it; another for who only reads. Made by `open_store`."""

    def __init__(self, engine: Engine, reading: Engine) -> None:
        self._worker = Worker(engine)
        self._worker.start()
        self._readers = Readers(reading)

    async def run(self, work: Callable[[Transaction], T]) -> T:
        """As `Store.run`."""
        answer: T = await asyncio.wrap_future(self._worker.submit(work))
        return answer

    async def read(self, work: Callable[[Transaction], T]) -> T:
        """As `Store.read`."""
        return await self._readers.run(work)

    async def close(self) -> None:
        """Finish what was asked for, then close the database."""
        await asyncio.to_thread(self._readers.close)
        await asyncio.to_thread(self._worker.close)

"""Reading beside the store's thread: what is read much, or long, would hold up every other caller there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from moorage.store.base import StoreUnavailable, Transaction
from moorage.store.engine import is_outage
from moorage.store.transaction import SqlTransaction

THREADS: Final = 2

T = TypeVar("T")


class Readers:
    """A few threads that read, each on a connection of the engine's pool."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="store reader")

    async def run(self, work: Callable[[Transaction], T]) -> T:
        """What `work` answers. Raises StoreUnavailable."""
        try:
            reading = self._pool.submit(self._read, work)
        except RuntimeError:  # the pool's, of one that was shut down
            raise StoreUnavailable("the store is closed") from None
        return await asyncio.wrap_future(reading)

    def close(self) -> None:
        """Let what is under way end. Blocks; repeating it changes nothing."""
        self._pool.shutdown()
        self._engine.dispose()

    def _read(self, work: Callable[[Transaction], T]) -> T:
        try:
            with self._engine.begin() as connection:
                return work(SqlTransaction(connection))
        except DBAPIError as error:
            if is_outage(error):
                raise StoreUnavailable(str(error.orig)) from error
            raise

"""Reading the metrics' file on connections of its own: neither waits for the writer nor holds it up."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeVar

from moorage.telemetry.metrics.base import MetricsUnavailable
from moorage.telemetry.metrics.database import open_for_reading

THREADS: Final = 2

T = TypeVar("T")


class Readers:
    """A few threads with a connection each, which are made anew after a failure, and once `reset` was called."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="metrics reader")
        self._own = threading.local()
        self._open: set[sqlite3.Connection] = set()
        self._generation = 0

    def reset(self) -> None:
        """The file has been opened anew, and may be another one."""
        self._generation += 1

    async def run(self, read: Callable[[sqlite3.Connection], T]) -> T:
        """What `read` answers. Raises MetricsUnavailable."""
        try:
            reading = self._pool.submit(self._read, read)
        except RuntimeError:  # the pool's, of one that was shut down
            raise MetricsUnavailable("the file has been closed") from None
        return await asyncio.wrap_future(reading)

    def close(self) -> None:
        """Let reads that are under way end. Blocks."""
        self._pool.shutdown()
        for connection in self._open:
            connection.close()

    def _read(self, read: Callable[[sqlite3.Connection], T]) -> T:
        try:
            connection = self._connection()
            connection.execute("BEGIN")
            answer = read(connection)
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._drop()
            raise MetricsUnavailable(str(error)) from error
        except BaseException:
            self._drop()  # its transaction must not become the next one's
            raise
        else:
            return answer

    def _connection(self) -> sqlite3.Connection:
        if getattr(self._own, "generation", None) != self._generation:
            self._drop()
        connection: sqlite3.Connection | None = getattr(self._own, "connection", None)
        if connection is None:
            generation = self._generation
            connection = open_for_reading(self._path)
            self._open.add(connection)
            self._own.connection, self._own.generation = connection, generation
        return connection

    def _drop(self) -> None:
        connection: sqlite3.Connection | None = getattr(self._own, "connection", None)
        if connection is not None:
            self._open.discard(connection)
            with contextlib.suppress(sqlite3.Error):
                connection.close()
            self._own.connection = None

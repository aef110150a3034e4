"""The thread that alone writes the metrics' file: what is waiting is committed together, then acknowledged.

A commit waits for the disk, so work that arrives while one is under way shares the next. Whatever goes wrong with the
file is answered: all that was in the transaction is refused, and the file opened anew for what comes next. A damaged
one is set aside and a new one begun, since metrics lost are a smaller evil than none from now on.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from moorage.telemetry.metrics.base import MetricsUnavailable, TooManyMetrics
from moorage.telemetry.metrics.database import is_damage, open_for_writing, set_aside

_BATCH_MAX: Final = 64

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]
"""May raise TooManyMetrics, before it has changed anything; whatever else it raises fails the whole transaction."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Item:
    work: Work[Any]
    future: Future[Any]


class Writer:
    """Runs work in its thread until closed. `opened` is called there with every connection, before its first work."""

    def __init__(self, path: Path, opened: Callable[[], None]) -> None:
        self._path = path
        self._opened = opened
        self._waiting: queue.SimpleQueue[_Item | None] = queue.SimpleQueue()
        self._connection: sqlite3.Connection | None = None
        self._thread = threading.Thread(target=self._serve, name="metrics", daemon=True)
        self._is_closed = False

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def submit(self, work: Work[T]) -> Future[T]:
        """Queue `work`. The future is done once its changes are committed, or none of them is.

        Raises MetricsUnavailable once this has been closed.
        """
        if self._is_closed:
            raise MetricsUnavailable("the file has been closed")
        future: Future[T] = Future()
        self._waiting.put(_Item(work, future))
        return future

    def close(self) -> None:
        """Finish what is queued, then end. Blocks; repeating it changes nothing."""
        if not self._is_closed:
            self._is_closed = True
            self._waiting.put(None)
        self._thread.join()

    def _serve(self) -> None:
        is_last = False
        while not is_last:
            items, is_last = self._gather()
            batch = [item for item in items if item.future.set_running_or_notify_cancel()]
            if batch:
                self._run(batch)
        self._disconnect()

    def _gather(self) -> tuple[list[_Item], bool]:
        """What is waiting, once there is something, and whether the end was among it."""
        waiting = [self._waiting.get()]
        with contextlib.suppress(queue.Empty):
            while len(waiting) < _BATCH_MAX and waiting[-1] is not None:
                waiting.append(self._waiting.get_nowait())
        items = [item for item in waiting if item is not None]
        return items, len(items) < len(waiting)

    def _run(self, batch: list[_Item]) -> None:
        try:
            answers = self._commit(batch)
        except Exception as error:
            self._disconnect()
            answer = self._explain(error)
            for item in batch:
                item.future.set_exception(answer)
            return
        for item, answered in zip(batch, answers, strict=True):
            if isinstance(answered, _Refused):
                item.future.set_exception(answered.error)
            else:
                item.future.set_result(answered)

    def _commit(self, batch: list[_Item]) -> list[Any]:
        connection = self._connect()
        connection.execute("BEGIN IMMEDIATE")
        answers = [_answer(item.work, connection) for item in batch]
        connection.execute("COMMIT")
        return answers

    def _connect(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = open_for_writing(self._path)
            self._opened()
        return self._connection

    def _disconnect(self) -> None:
        """What was not committed is rolled back by that."""
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None

    def _explain(self, error: Exception) -> Exception:
        if is_damage(error):
            with contextlib.suppress(OSError):
                aside = set_aside(self._path)
                _log.error("%s was damaged (%s): it is now %s, and a new one is begun", self._path, error, aside)
        elif not isinstance(error, sqlite3.Error | OSError):
            return error
        else:
            _log.warning("%s cannot be written: %s", self._path, error)
        return MetricsUnavailable(str(error))


@dataclass(frozen=True, slots=True)
class _Refused:
    """What work raised that is nobody else's concern."""

    error: Exception


def _answer(work: Work[Any], connection: sqlite3.Connection) -> Any:
    try:
        return work(connection)
    except TooManyMetrics as error:
        return _Refused(error)

"""The store's thread: takes what is waiting, runs it in one transaction, commits, acknowledges.

A commit waits for the disk, so calls that arrive while one is under way share the next. Each runs in a savepoint of its
own: one that fails takes back its own changes and nobody else's, and nobody is told of success before the commit.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from moorage.store.base import StoreUnavailable, Transaction
from moorage.store.engine import is_outage
from moorage.store.transaction import SqlTransaction

_BATCH_MAX: Final = 64

Work = Callable[[Transaction], Any]


@dataclass(frozen=True, slots=True)
class _Item:
    work: Work
    future: Future[Any]


class Worker:
    """Runs work in its thread until closed."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._waiting: queue.SimpleQueue[_Item | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name="store", daemon=True)
        self._closed = False
        self._closing = threading.Lock()
        """What is queued behind the end would never be done."""

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def submit(self, work: Work) -> Future[Any]:
        """Queue `work`. The future is done once its changes are committed, or none of them is."""
        future: Future[Any] = Future()
        with self._closing:
            if self._closed:
                raise StoreUnavailable("the store is closed")
            self._waiting.put(_Item(work, future))
        return future

    def close(self) -> None:
        """Finish what is queued, then end. Blocks; repeating it changes nothing."""
        with self._closing:
            if not self._closed:
                self._closed = True
                self._waiting.put(None)
        self._thread.join()
        self._engine.dispose()

    def _serve(self) -> None:
        while (first := self._waiting.get()) is not None:
            batch, last = self._gather(first)
            self._run(batch)
            if last:
                return

    def _gather(self, first: _Item) -> tuple[list[_Item], bool]:
        """What is waiting now, and whether the end of the queue was among it."""
        items = [first]
        while len(items) < _BATCH_MAX:
            try:
                item = self._waiting.get_nowait()
            except queue.Empty:
                break
            if item is None:
                return items, True
            items.append(item)
        return items, False

    def _run(self, items: list[_Item]) -> None:
        batch = [item for item in items if item.future.set_running_or_notify_cancel()]
        try:
            answers = [self._commit_alone(batch[0])] if len(batch) == 1 else self._commit_together(batch)
        except Exception as error:
            for item in batch:
                item.future.set_exception(_foreign(error))
            return
        for item, answer in zip(batch, answers, strict=True):
            if isinstance(answer, _Failure):
                item.future.set_exception(answer.error)
            else:
                item.future.set_result(answer)

    def _commit_alone(self, item: _Item) -> Any:
        # No savepoint where no neighbour needs one: it is two statements more, a fifth of what a small read costs.
        with self._engine.begin() as connection:
            return item.work(SqlTransaction(connection))

    def _commit_together(self, batch: list[_Item]) -> list[Any]:
        with self._engine.begin() as connection:
            transaction = SqlTransaction(connection)
            answers: list[Any] = []
            for item in batch:
                savepoint = connection.begin_nested()
                try:
                    answers.append(item.work(transaction))
                    savepoint.commit()
                except Exception as error:
                    if isinstance(error, DBAPIError) and is_outage(error):
                        raise
                    savepoint.rollback()
                    answers.append(_Failure(error))
            return answers


@dataclass(frozen=True, slots=True)
class _Failure:
    """What a work item raised. Its neighbours are not concerned."""

    error: Exception


def _foreign(error: Exception) -> Exception:
    """What callers are told when the whole transaction failed."""
    if not (isinstance(error, DBAPIError) and is_outage(error)):
        return error
    return StoreUnavailable(str(_root(error).orig))


def _root(error: DBAPIError) -> DBAPIError:
    """The first failure: a full disk makes SQLite give up the transaction, after which leaving it fails too."""
    root, context = error, error.__context__
    while context is not None:
        root = context if isinstance(context, DBAPIError) else root
        context = context.__context__
    return root

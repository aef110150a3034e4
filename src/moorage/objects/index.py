"""The index's database: SQLite in one thread, a transaction a call, on the disk when it has answered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection, Engine, create_engine, event, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import SingletonThreadPool

from moorage.objects import schema
from moorage.objects.errors import StorageUnavailable
from moorage.objects.workers import Workers

T = TypeVar("T")


@dataclass(slots=True)
class Transaction:
    """One transaction: its connection, and the blobs that nobody will name once it is committed."""

    connection: Connection
    freed: list[str] = field(default_factory=list)


class Index:
    """Runs transactions one after another in a thread of its own. `on_freed` gets the blobs that a commit has freed."""

    def __init__(self, path: Path, *, on_freed: Callable[[Sequence[str]], None]) -> None:
        self._path = path
        self._on_freed = on_freed
        self._thread = Workers("objects-index", 1)
        self._engine: Engine | None = None

    async def open(self) -> None:
        """Open the database, making it if there is none. Raises StorageUnavailable; ValueError for another schema."""
        await self._thread.run(self._open)

    async def run(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in a transaction and commit; whatever it raises rolls back. Raises StorageUnavailable.

        A cancelled caller does not know whether the commit was made.
        """
        return await self._thread.run(self._run, work)

    async def close(self) -> None:
        """Wait for the transactions under way and close the database. Closing again does nothing."""
        engine, self._engine = self._engine, None
        if engine is not None:
            await self._thread.run(engine.dispose)
        self._thread.close()

    def _open(self) -> None:
        engine = create_engine(
            f"sqlite:///{self._path}",
            poolclass=SingletonThreadPool,
            json_serializer=_to_json,
            json_deserializer=msgspec.json.decode,
        )
        event.listen(engine, "connect", _set_pragmas)
        event.listen(engine, "begin", _begin)
        self._engine = engine
        self._run(_prepare)

    def _run(self, work: Callable[[Transaction], T]) -> T:
        assert self._engine is not None
        try:
            with self._engine.begin() as connection:
                transaction = Transaction(connection)
                answer = work(transaction)
        except OperationalError as error:
            raise StorageUnavailable(str(error.orig)) from error
        if transaction.freed:
            self._on_freed(transaction.freed)
        return answer


def free_if_unnamed(blob_id: str) -> Callable[[Transaction], None]:
    """Work that frees a blob unless a row names it: what to do when a commit's outcome is not known."""

    def work(transaction: Transaction) -> None:
        if not is_named(transaction, blob_id):
            transaction.freed.append(blob_id)

    return work


def is_named(transaction: Transaction, blob_id: str) -> bool:
    """Whether a row names the blob."""
    return any(
        transaction.connection.scalar(select(table.c.blob_id).where(table.c.blob_id == blob_id)) is not None
        for table in (schema.extents, schema.parts)
    )


def _prepare(transaction: Transaction) -> None:
    connection = transaction.connection
    found = connection.scalar(text("PRAGMA user_version"))
    if found not in (0, schema.SCHEMA_VERSION):
        raise ValueError(f"the object index has schema {found}, this program knows {schema.SCHEMA_VERSION}")
    schema.metadata.create_all(connection)
    connection.execute(text(f"PRAGMA user_version = {schema.SCHEMA_VERSION}"))


def _to_json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _set_pragmas(connection: Any, _: object) -> None:
    connection.isolation_level = None  # the driver would begin late, and only for some statements; `_begin` does it
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "busy_timeout = 5000"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")

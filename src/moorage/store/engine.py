"""The database engine: what SQLite has to be told so that an acknowledged commit survives a power cut."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, NotSupportedError, ProgrammingError

from moorage.system.files import sync_folder

_BUSY_TIMEOUT_S: Final = 5.0


def sqlite_engine(path: Path) -> Engine:
    """An engine on the file at `path`, made readable by its owner only if it is new. Raises OSError."""
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        sync_folder(path.parent)
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": _BUSY_TIMEOUT_S})
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def sqlite_reading_engine(path: Path) -> Engine:
    """An engine on the same file that sees what is committed, and can change nothing."""
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": _BUSY_TIMEOUT_S})
    event.listen(engine, "connect", _prepare_reading)
    event.listen(engine, "begin", _begin_reading)
    return engine


def is_outage(error: DBAPIError) -> bool:
    """Whether the database failed us, rather than the statement being wrong."""
    return not isinstance(error, IntegrityError | ProgrammingError | DataError | NotSupportedError)


def _prepare(connection: sqlite3.Connection, _: object) -> None:
    connection.isolation_level = None  # the driver would otherwise decide by itself where a transaction begins
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
    except sqlite3.Error:
        connection.close()  # the pool never gets it, and so would not
        raise


def _begin(connection: Connection) -> None:
    # Taking the write lock at once, so that no transaction finds out in the middle that it cannot write.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _prepare_reading(connection: sqlite3.Connection, _: object) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA query_only=ON")


def _begin_reading(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")

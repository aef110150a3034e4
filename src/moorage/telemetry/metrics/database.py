"""The file that metrics are kept in: its tables, and what SQLite has to be told about it.

A *series* is a metric in one unit. Its values are in `points_<period>`, by the beginning of their period, each in one
table alone: the finest that keeps values of their age. Rows lie in the order of series, as they are read.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Final

from moorage.core.metrics.resolutions import RESOLUTIONS
from moorage.system.files import sync_folder

FORMAT: Final = 1
"""Of the tables: a file of another one is set aside, as a damaged one is."""

_BUSY_TIMEOUT_S: Final = 5.0
_SERIES: Final = """
CREATE TABLE IF NOT EXISTS series (
    id INTEGER PRIMARY KEY,
    region TEXT NOT NULL,
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    dimensions TEXT NOT NULL,
    unit TEXT NOT NULL,
    last_s INTEGER NOT NULL,
    UNIQUE (region, namespace, name, dimensions, unit)
)
"""
_POINTS: Final = """
CREATE TABLE IF NOT EXISTS points_{period_s} (
    series_id INTEGER NOT NULL,
    at_s INTEGER NOT NULL,
    count REAL NOT NULL,
    sum REAL NOT NULL,
    minimum REAL NOT NULL,
    maximum REAL NOT NULL,
    buckets BLOB,
    PRIMARY KEY (series_id, at_s)
) WITHOUT ROWID
"""


class Damaged(Exception):
    """The file is not one that this Moorage can read."""


def open_for_writing(path: Path) -> sqlite3.Connection:
    """The database at `path`, made if there is none, its owner's only. Raises sqlite3.Error, OSError, Damaged."""
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        sync_folder(path.parent)
    connection = _connect(path)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        _prepare(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def open_for_reading(path: Path) -> sqlite3.Connection:
    """The database at `path`, which is there. It sees what is committed and holds nobody up. Raises sqlite3.Error."""
    connection = _connect(path, mode="rw")
    connection.execute("PRAGMA query_only=ON")
    return connection


def used_bytes(connection: sqlite3.Connection) -> int:
    """How much of the file is in use: what was deleted is used again before it grows."""
    (pages,), (free,), (page_bytes,) = (
        connection.execute(f"PRAGMA {name}").fetchone() for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * page_bytes)


def set_aside(path: Path) -> Path:
    """Give a file that cannot be read another name, in the place of the one before it."""
    aside = path.with_name(f"{path.name}.damaged")
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    path.replace(aside)
    sync_folder(path.parent)
    return aside


def is_damage(error: Exception) -> bool:
    """Whether the file will never be readable again."""
    damaged = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
    return isinstance(error, Damaged) or getattr(error, "sqlite_errorcode", 0) & 0xFF in damaged


def _connect(path: Path, *, mode: str = "rwc") -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    return sqlite3.connect(uri, uri=True, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)


def _prepare(connection: sqlite3.Connection) -> None:
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    if found not in (0, FORMAT):
        raise Damaged(f"it is of format {found}, and this Moorage reads {FORMAT}")
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(_SERIES)
    for resolution in RESOLUTIONS:
        connection.execute(_POINTS.format(period_s=resolution.period_s))
    connection.execute(f"PRAGMA user_version={FORMAT}")
    connection.execute("COMMIT")

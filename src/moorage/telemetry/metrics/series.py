"""Which series there are: a metric in one unit each, with when it last had a value.

Functions on a connection, within whatever transaction that is in.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from moorage.core.metrics.metric import Dimensions, MetricKey
from moorage.telemetry.metrics.base import MetricFilter

LAST_WITHIN_S: Final = 300
"""How far the time of the last value may lie behind: a row a value would be written twice as often."""

_DIMENSIONS: Final = msgspec.json.Decoder(Dimensions)
_WHERE: Final = "region = ? AND namespace = ? AND name = ? AND dimensions = ?"


class Found(NamedTuple):
    """A series that is there, and about when its last value is from."""

    id: int
    last_s: int


def count_series(connection: sqlite3.Connection) -> int:
    """How many there are."""
    return int(connection.execute("SELECT count(*) FROM series").fetchone()[0])


def look_up(connection: sqlite3.Connection, key: MetricKey, unit: str) -> Found | None:
    """The series of a metric in one unit, if there is one."""
    statement = f"SELECT id, last_s FROM series WHERE {_WHERE} AND unit = ?"
    row = connection.execute(statement, (*_columns(key), unit)).fetchone()
    return None if row is None else Found(*row)


def insert(connection: sqlite3.Connection, key: MetricKey, unit: str, *, last_s: int) -> Found:
    """A new series."""
    statement = "INSERT INTO series (region, namespace, name, dimensions, unit, last_s) VALUES (?, ?, ?, ?, ?, ?)"
    inserted = connection.execute(statement, (*_columns(key), unit, last_s)).lastrowid
    return Found(int(inserted or 0), last_s)


def touch(connection: sqlite3.Connection, id_: int, last_s: int) -> Found:
    """Keep when a series' last value is from."""
    connection.execute("UPDATE series SET last_s = ? WHERE id = ?", (last_s, id_))
    return Found(id_, last_s)


def ids_of(connection: sqlite3.Connection, key: MetricKey, unit: str | None) -> Sequence[int]:
    """The series of a metric, in one unit or in all."""
    rows = connection.execute(f"SELECT id, unit FROM series WHERE {_WHERE}", _columns(key))
    return [id_ for id_, found in rows if unit is None or found == unit]


def units_of(connection: sqlite3.Connection, key: MetricKey) -> Sequence[str]:
    """The units of a metric, in order."""
    rows = connection.execute(f"SELECT unit FROM series WHERE {_WHERE} ORDER BY unit", _columns(key))
    return [unit for (unit,) in rows]


def find(connection: sqlite3.Connection, wanted: MetricFilter) -> Sequence[MetricKey]:
    """The metrics that are meant, in order."""
    conditions: Mapping[str, Any] = {"region": wanted.region, "namespace": wanted.namespace, "name": wanted.name}
    given = {column: value for column, value in conditions.items() if value is not None}
    where = " AND ".join(f"{column} = ?" for column in given)
    since_s = 0.0 if wanted.active_since_s is None else wanted.active_since_s - LAST_WITHIN_S
    rows = connection.execute(
        f"SELECT DISTINCT region, namespace, name, dimensions FROM series WHERE {where} AND last_s >= ?",
        (*given.values(), since_s),
    )
    keys = (MetricKey(region, namespace, name, _DIMENSIONS.decode(text)) for region, namespace, name, text in rows)
    return sorted(key for key in keys if wanted.accepts(key))


def forget(connection: sqlite3.Connection, *, before_s: float) -> int:
    """Drop the series whose last value is older: nothing of them is kept. Answers how many there were."""
    return connection.execute("DELETE FROM series WHERE last_s < ?", (before_s - LAST_WITHIN_S,)).rowcount


def _columns(key: MetricKey) -> tuple[str, str, str, str]:
    return key.region, key.namespace, key.name, msgspec.json.encode(key.dimensions).decode()

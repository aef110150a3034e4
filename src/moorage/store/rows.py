"""Inserting a row whose name may be taken."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Table, insert
from sqlalchemy.exc import IntegrityError

from moorage.store.base import AlreadyExists


def insert_new(connection: Connection, table: Table, *, values: dict[str, Any]) -> None:
    """Insert a row. Raises AlreadyExists, after which the transaction can go on.

    The savepoint is for PostgreSQL, where a failed statement spoils what encloses it.
    """
    try:
        with connection.begin_nested():
            connection.execute(insert(table).values(values))
    except IntegrityError:
        raise AlreadyExists(values["name"]) from None

"""A list query as SQL, the same for every table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Row, Select, Table, select, tuple_

from moorage.store.base import ListQuery
from moorage.store.paging import Position, position_after, to_micros


def fetch_page(
    connection: Connection, table: Table, *, query: ListQuery
) -> tuple[list[Row[Any]], tuple[str, str] | None]:
    """The rows of the page asked for, and where the next page goes on."""
    rows = list(connection.execute(_statement(table, query)))
    page = rows[: query.limit]
    if len(rows) == len(page):
        return page, None
    last = page[-1]._mapping
    return page, Position(last[_sort_column(table, query).name], last["folded"]).cursor()


def _statement(table: Table, query: ListQuery) -> Select[Any]:
    value, name = _sort_column(table, query), table.c.folded
    statement = select(table).where(*_conditions(table, query)).limit(query.limit + 1)
    start = position_after(query)
    if query.ascending:
        statement = statement.order_by(value, name)
        return statement if start is None else statement.where(tuple_(value, name) > tuple_(*start))
    statement = statement.order_by(value.desc(), name.desc())
    return statement if start is None else statement.where(tuple_(value, name) < tuple_(*start))


def _sort_column(table: Table, query: ListQuery) -> Column[Any]:
    match query.sort_by:
        case "Name":
            return table.c.folded
        case "CreationTime":
            return table.c.created_us
        case "Status":
            return table.c.status


def _conditions(table: Table, query: ListQuery) -> Iterator[ColumnElement[bool]]:
    yield table.c.region == query.region
    if query.name_contains is not None:
        yield table.c.folded.contains(query.name_contains.lower(), autoescape=True)
    if query.created_before is not None:
        yield table.c.created_us < to_micros(query.created_before)
    if query.created_after is not None:
        yield table.c.created_us >= to_micros(query.created_after)
    if query.modified_before is not None:
        yield table.c.modified_us < to_micros(query.modified_before)
    if query.modified_after is not None:
        yield table.c.modified_us >= to_micros(query.modified_after)
    if query.status is not None:
        yield table.c.status == query.status

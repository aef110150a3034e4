"""A table of documents in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, and_, delete, func, select, update

from moorage.store.base import Document, ListQuery, Page
from moorage.store.codec import decode_body, encode_body
from moorage.store.listing import fetch_page
from moorage.store.paging import from_micros, to_micros
from moorage.store.rows import insert_new
from moorage.store.tables import FOLDS


@dataclass(frozen=True, slots=True)
class SqlDocuments:
    """One of the document tables, seen from within a transaction."""

    connection: Connection
    table: Table

    def get(self, region: str, name: str) -> Document | None:
        row = self.connection.execute(select(self.table).where(self._is(region, name))).one_or_none()
        return None if row is None else _from_row(row)

    def insert(self, document: Document) -> None:
        insert_new(self.connection, self.table, values=self._to_row(document))

    def replace(self, document: Document) -> None:
        statement = update(self.table).where(self._is(document.region, document.name)).values(self._to_row(document))
        if self.connection.execute(statement).rowcount == 0:
            raise KeyError(document.name)

    def delete(self, region: str, name: str) -> bool:
        return self.connection.execute(delete(self.table).where(self._is(region, name))).rowcount == 1

    def list(self, query: ListQuery) -> Page[Document]:
        rows, next_after = fetch_page(self.connection, self.table, query=query)
        return Page([_from_row(row) for row in rows], next_after)

    def regions(self) -> Sequence[str]:
        column = self.table.c.region
        return self.connection.execute(select(column).distinct().order_by(column)).scalars().all()

    def count(self, region: str) -> int:
        counted = select(func.count()).select_from(self.table).where(self.table.c.region == region)
        return int(self.connection.execute(counted).scalar_one())

    def _is(self, region: str, name: str) -> ColumnElement[bool]:
        return and_(self.table.c.region == region, self.table.c.folded == self._fold(name))

    def _fold(self, name: str) -> str:
        return name.lower() if self.table.info[FOLDS] else name

    def _to_row(self, document: Document) -> dict[str, Any]:
        return {
            "region": document.region,
            "folded": self._fold(document.name),
            "name": document.name,
            "arn": document.arn,
            "created_us": to_micros(document.created_at),
            "modified_us": to_micros(document.modified_at),
            "body": encode_body(document.body),
        }


def _from_row(row: Row[Any]) -> Document:
    return Document(
        region=row.region,
        name=row.name,
        arn=row.arn,
        created_at=from_micros(row.created_us),
        modified_at=from_micros(row.modified_us),
        body=decode_body(row.body),
    )

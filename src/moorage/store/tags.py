"""Tags in SQL, a row each, so that two writers of different keys do not undo each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select, update

from moorage.store.tables import TAGS


@dataclass(frozen=True, slots=True)
class SqlTags:
    """The tags, seen from within a transaction."""

    connection: Connection

    def get(self, arn: str) -> dict[str, str]:
        statement = select(TAGS.c.key, TAGS.c.value).where(TAGS.c.arn == arn).order_by(TAGS.c.position)
        return {row.key: row.value for row in self.connection.execute(statement)}

    def put(self, arn: str, tags: dict[str, str]) -> None:
        highest = self.connection.execute(select(func.max(TAGS.c.position)).where(TAGS.c.arn == arn)).scalar()
        position = 0 if highest is None else highest + 1
        for key, value in tags.items():
            known = update(TAGS).where(TAGS.c.arn == arn, TAGS.c.key == key).values(value=value)
            if self.connection.execute(known).rowcount == 0:
                self.connection.execute(insert(TAGS).values(arn=arn, key=key, position=position, value=value))
                position += 1

    def remove(self, arn: str, keys: Sequence[str]) -> None:
        self.connection.execute(delete(TAGS).where(TAGS.c.arn == arn, TAGS.c.key.in_(keys)))

    def clear(self, arn: str) -> None:
        self.connection.execute(delete(TAGS).where(TAGS.c.arn == arn))

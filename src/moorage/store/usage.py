"""The lives of instances in SQL."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, or_, select, update

from moorage.core.usage import Usage
from moorage.store.paging import from_micros, to_micros
from moorage.store.tables import USAGE


@dataclass(frozen=True, slots=True)
class SqlUsages:
    """Them, seen from within a transaction."""

    connection: Connection

    def begin(self, usages: Collection[Usage]) -> None:
        rows = [
            {
                "region": usage.region,
                "endpoint": usage.endpoint,
                "variant": usage.variant,
                "instance_type": usage.instance_type,
                "instance": usage.instance,
                "began_us": to_micros(usage.began_at),
                "until_us": to_micros(usage.until),
                "is_open": usage.is_open,
            }
            for usage in usages
        ]
        if rows:
            self.connection.execute(insert(USAGE), rows)

    def touch(self, at: datetime) -> None:
        self.connection.execute(update(USAGE).where(USAGE.c.is_open).values(until_us=to_micros(at)))

    def end(self, instance: str, at: datetime | None = None) -> None:
        values: dict[str, Any] = {"is_open": False} if at is None else {"is_open": False, "until_us": to_micros(at)}
        self.connection.execute(update(USAGE).where(USAGE.c.is_open, USAGE.c.instance == instance).values(values))

    def open(self) -> Sequence[Usage]:
        rows = self.connection.execute(select(USAGE).where(USAGE.c.is_open).order_by(USAGE.c.began_us))
        return [_from_row(row) for row in rows]

    def list(self, region: str, *, since: datetime, until: datetime, endpoint: str | None = None) -> Sequence[Usage]:
        usage = USAGE.c
        lasted = or_(usage.is_open, usage.until_us > to_micros(since))
        conditions = [usage.region == region, lasted, usage.began_us < to_micros(until)]
        if endpoint is not None:
            conditions.append(usage.endpoint == endpoint)
        rows = self.connection.execute(select(USAGE).where(*conditions).order_by(usage.began_us, usage.instance))
        return [_from_row(row) for row in rows]

    def expire(self, before: datetime) -> None:
        self.connection.execute(delete(USAGE).where(~USAGE.c.is_open, USAGE.c.until_us < to_micros(before)))


def _from_row(row: Row[Any]) -> Usage:
    return Usage(
        region=row.region,
        endpoint=row.endpoint,
        variant=row.variant,
        instance_type=row.instance_type,
        instance=row.instance,
        began_at=from_micros(row.began_us),
        until=from_micros(row.until_us),
        is_open=row.is_open,
    )

"""The table of endpoints in SQL: saved by compare-and-swap on the version."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, select, update

from moorage.core.model import Endpoint, EndpointKey
from moorage.store.base import ListQuery, Page, StaleVersion
from moorage.store.codec import decode_endpoint, encode_endpoint
from moorage.store.listing import fetch_page
from moorage.store.paging import to_micros
from moorage.store.rows import insert_new
from moorage.store.tables import ENDPOINTS


@dataclass(frozen=True, slots=True)
class SqlEndpoints:
    """The endpoints, seen from within a transaction."""

    connection: Connection

    def get(self, key: EndpointKey) -> Endpoint | None:
        body = self.connection.execute(select(ENDPOINTS.c.body).where(_is(key))).scalar_one_or_none()
        return None if body is None else decode_endpoint(body)

    def insert(self, endpoint: Endpoint) -> None:
        insert_new(self.connection, ENDPOINTS, values=_to_row(endpoint))

    def swap(self, endpoint: Endpoint) -> Endpoint:
        saved = replace(endpoint, version=endpoint.version + 1)
        unchanged = and_(_is(endpoint.key), _has_uid(endpoint.uid), ENDPOINTS.c.version == endpoint.version)
        statement = update(ENDPOINTS).where(unchanged).values(_to_row(saved))
        if self.connection.execute(statement).rowcount == 0:
            raise StaleVersion(endpoint.key.name)
        return saved

    def delete(self, key: EndpointKey, uid: str) -> bool:
        return self.connection.execute(delete(ENDPOINTS).where(_is(key), _has_uid(uid))).rowcount == 1

    def keys(self) -> Sequence[EndpointKey]:
        columns = select(ENDPOINTS.c.region, ENDPOINTS.c.name).order_by(ENDPOINTS.c.region, ENDPOINTS.c.folded)
        return [EndpointKey(region, name) for region, name in self.connection.execute(columns)]

    def list(self, query: ListQuery) -> Page[Endpoint]:
        rows, next_after = fetch_page(self.connection, ENDPOINTS, query=query)
        return Page([decode_endpoint(row.body) for row in rows], next_after)


def _is(key: EndpointKey) -> ColumnElement[bool]:
    return and_(ENDPOINTS.c.region == key.region, ENDPOINTS.c.folded == key.name.lower())


def _has_uid(uid: str) -> ColumnElement[bool]:
    return ENDPOINTS.c.uid == uid


def _to_row(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "region": endpoint.key.region,
        "folded": endpoint.key.name.lower(),
        "name": endpoint.key.name,
        "uid": endpoint.uid,
        "version": endpoint.version,
        "status": endpoint.status.value,
        "created_us": to_micros(endpoint.created_at),
        "modified_us": to_micros(endpoint.modified_at),
        "body": encode_endpoint(endpoint),
    }

"""A store in memory, held to the same contract as the real one: for tests that are not about storage."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Generic, TypeVar

from moorage.core.model import Endpoint, EndpointKey
from moorage.store.base import (
    AlreadyExists,
    Document,
    ListQuery,
    Page,
    StaleVersion,
    StoreUnavailable,
    Transaction,
)
from moorage.store.paging import Position, position_after
from moorage.testing.memory_journal import MemoryJournal
from moorage.testing.memory_traffic import MemoryTraffic
from moorage.testing.memory_usage import MemoryUsages

T = TypeVar("T")
R = TypeVar("R")


class MemoryStore:
    """Keeps everything in dictionaries; a transaction works on a copy that takes their place when it succeeds.

    Set `unavailable` to make every call fail as a full disk would.
    """

    def __init__(self) -> None:
        self.unavailable = False
        self._tables = MemoryTransaction()

    async def run(self, work: Callable[[Transaction], T]) -> T:
        """As `Store.run`."""
        if self.unavailable:
            raise StoreUnavailable("the store was told to be unavailable")
        tables = self._tables.fork()
        answer = work(tables)
        self._tables = tables
        return answer

    async def read(self, work: Callable[[Transaction], T]) -> T:
        """As `Store.read`."""
        if self.unavailable:
            raise StoreUnavailable("the store was told to be unavailable")
        return work(self._tables.fork())

    async def close(self) -> None:
        """Nothing to close."""


class MemoryDocuments:
    """A table of documents. `folds` says that names which differ in case alone are the same name."""

    def __init__(self, rows: dict[tuple[str, str], Document] | None = None, *, folds: bool = True) -> None:
        self._rows = dict(rows or {})
        self._folds = folds

    def fork(self) -> MemoryDocuments:
        return MemoryDocuments(self._rows, folds=self._folds)

    def get(self, region: str, name: str) -> Document | None:
        return copy.deepcopy(self._rows.get(self._key(region, name)))

    def insert(self, document: Document) -> None:
        key = self._key(document.region, document.name)
        if key in self._rows:
            raise AlreadyExists(document.name)
        self._rows[key] = copy.deepcopy(document)

    def replace(self, document: Document) -> None:
        key = self._key(document.region, document.name)
        if key not in self._rows:
            raise KeyError(document.name)
        self._rows[key] = copy.deepcopy(document)

    def delete(self, region: str, name: str) -> bool:
        return self._rows.pop(self._key(region, name), None) is not None

    def list(self, query: ListQuery) -> Page[Document]:
        rows = (
            _Listed(document, document.name, document.created_at, document.modified_at)
            for (region, _), document in self._rows.items()
            if region == query.region
        )
        page = _page(rows, query)
        return Page(copy.deepcopy(page.rows), page.next_after)

    def regions(self) -> Sequence[str]:
        return sorted({region for region, _ in self._rows})

    def count(self, region: str) -> int:
        return sum(each == region for each, _ in self._rows)

    def _key(self, region: str, name: str) -> tuple[str, str]:
        return region, name.lower() if self._folds else name


def _exact() -> MemoryDocuments:
    return MemoryDocuments(folds=False)


class MemoryEndpoints:
    """The table of endpoints."""

    def __init__(self, rows: dict[EndpointKey, Endpoint] | None = None) -> None:
        self._rows = dict(rows or {})

    def fork(self) -> MemoryEndpoints:
        return MemoryEndpoints(self._rows)

    def get(self, key: EndpointKey) -> Endpoint | None:
        return self._rows.get(_folded(key))

    def insert(self, endpoint: Endpoint) -> None:
        if _folded(endpoint.key) in self._rows:
            raise AlreadyExists(endpoint.key.name)
        self._rows[_folded(endpoint.key)] = endpoint

    def swap(self, endpoint: Endpoint) -> Endpoint:
        stored = self._rows.get(_folded(endpoint.key))
        if stored is None or stored.uid != endpoint.uid or stored.version != endpoint.version:
            raise StaleVersion(endpoint.key.name)
        saved = replace(endpoint, version=endpoint.version + 1)
        self._rows[_folded(endpoint.key)] = saved
        return saved

    def delete(self, key: EndpointKey, uid: str) -> bool:
        stored = self._rows.get(_folded(key))
        if stored is None or stored.uid != uid:
            return False
        del self._rows[_folded(key)]
        return True

    def keys(self) -> Sequence[EndpointKey]:
        return [self._rows[key].key for key in sorted(self._rows)]

    def list(self, query: ListQuery) -> Page[Endpoint]:
        rows = (
            _Listed(endpoint, endpoint.key.name, endpoint.created_at, endpoint.modified_at, endpoint.status)
            for key, endpoint in self._rows.items()
            if key.region == query.region
        )
        return _page(rows, query)


class MemoryTags:
    """The table of tags."""

    def __init__(self, rows: dict[str, dict[str, str]] | None = None) -> None:
        self._rows = {arn: dict(tags) for arn, tags in (rows or {}).items()}

    def fork(self) -> MemoryTags:
        return MemoryTags(self._rows)

    def get(self, arn: str) -> dict[str, str]:
        return dict(self._rows.get(arn, {}))

    def put(self, arn: str, tags: dict[str, str]) -> None:
        self._rows.setdefault(arn, {}).update(tags)

    def remove(self, arn: str, keys: Sequence[str]) -> None:
        kept = {key: value for key, value in self.get(arn).items() if key not in keys}
        self._rows[arn] = kept

    def clear(self, arn: str) -> None:
        self._rows.pop(arn, None)


@dataclass(frozen=True, slots=True)
class MemoryTransaction:
    """Every table at one moment."""

    models: MemoryDocuments = field(default_factory=MemoryDocuments)
    endpoint_configs: MemoryDocuments = field(default_factory=MemoryDocuments)
    roles: MemoryDocuments = field(default_factory=MemoryDocuments)
    policies: MemoryDocuments = field(default_factory=MemoryDocuments)
    users: MemoryDocuments = field(default_factory=MemoryDocuments)
    bearer_keys: MemoryDocuments = field(default_factory=MemoryDocuments)
    alarms: MemoryDocuments = field(default_factory=_exact)
    dashboards: MemoryDocuments = field(default_factory=_exact)
    topics: MemoryDocuments = field(default_factory=_exact)
    scalable_targets: MemoryDocuments = field(default_factory=_exact)
    scaling_policies: MemoryDocuments = field(default_factory=_exact)
    scheduled_actions: MemoryDocuments = field(default_factory=_exact)
    log_groups: MemoryDocuments = field(default_factory=_exact)
    endpoints: MemoryEndpoints = field(default_factory=MemoryEndpoints)
    tags: MemoryTags = field(default_factory=MemoryTags)
    traffic: MemoryTraffic = field(default_factory=MemoryTraffic)
    journal: MemoryJournal = field(default_factory=MemoryJournal)
    usages: MemoryUsages = field(default_factory=MemoryUsages)

    def fork(self) -> MemoryTransaction:
        """A copy whose changes do not show here."""
        return MemoryTransaction(
            models=self.models.fork(),
            endpoint_configs=self.endpoint_configs.fork(),
            roles=self.roles.fork(),
            policies=self.policies.fork(),
            users=self.users.fork(),
            bearer_keys=self.bearer_keys.fork(),
            alarms=self.alarms.fork(),
            dashboards=self.dashboards.fork(),
            topics=self.topics.fork(),
            scalable_targets=self.scalable_targets.fork(),
            scaling_policies=self.scaling_policies.fork(),
            scheduled_actions=self.scheduled_actions.fork(),
            log_groups=self.log_groups.fork(),
            endpoints=self.endpoints.fork(),
            tags=self.tags.fork(),
            traffic=self.traffic.fork(),
            journal=self.journal.fork(),
            usages=self.usages.fork(),
        )


@dataclass(frozen=True, slots=True)
class _Listed(Generic[R]):
    """A row, and what lists filter and sort it by."""

    row: R
    name: str
    created_at: datetime
    modified_at: datetime
    status: str = ""

    def position(self, query: ListQuery) -> Position:
        return Position.of(query, name=self.name, created_at=self.created_at, status=self.status)


def _page(rows: Iterator[_Listed[R]], query: ListQuery) -> Page[R]:
    wanted = sorted(
        (row for row in rows if _matches(row, query)),
        key=lambda row: row.position(query),
        reverse=not query.ascending,
    )
    start = position_after(query)
    if start is not None:
        wanted = [row for row in wanted if _is_behind(row.position(query), start, query)]
    page = wanted[: query.limit]
    more = len(wanted) > len(page)
    return Page([row.row for row in page], page[-1].position(query).cursor() if more else None)


def _is_behind(position: Position, start: Position, query: ListQuery) -> bool:
    return position > start if query.ascending else position < start


def _matches(row: _Listed[R], query: ListQuery) -> bool:
    return (
        (query.name_contains is None or query.name_contains.lower() in row.name.lower())
        and (query.created_before is None or row.created_at < query.created_before)
        and (query.created_after is None or row.created_at >= query.created_after)
        and (query.modified_before is None or row.modified_at < query.modified_before)
        and (query.modified_after is None or row.modified_at >= query.modified_after)
        and (query.status is None or row.status == query.status)
    )


def _folded(key: EndpointKey) -> EndpointKey:
    return EndpointKey(key.region, key.name.lower())

"""Owner of the route table: everything the gateways know, they know from the snapshot this module writes.

A publication is done when every gateway that is there has said that it uses it. Until then what the gateways use is
in doubt, also after a restart, and `is_settled` says so. Changes that arrive while a snapshot is being written and
confirmed share the next one, so a burst of them costs two or three writes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from moorage.control.errors import GatewayUnsure
from moorage.core.model import EndpointKey
from moorage.core.route_shards import ShardedRoutes
from moorage.core.routes import Access, EndpointRoute, RouteTable
from moorage.system.snapshot import SnapshotInvalid, SnapshotReader, SnapshotWriter

_log = logging.getLogger(__name__)


class Snapshots(Protocol):
    """Where the table is kept for the gateways."""

    async def read(self) -> RouteTable | None:
        """The table last written; None if there is none that can be trusted."""
        ...

    async def write(self, table: RouteTable) -> None:
        """Replace the table durably. Raises OSError."""
        ...


class SnapshotFile:
    """The table as a signed file."""

    def __init__(self, path: Path, *, key: bytes) -> None:
        self._reader = SnapshotReader(path, key=key)
        self._writer = SnapshotWriter(path, key=key)

    async def read(self) -> RouteTable | None:
        try:
            return await asyncio.to_thread(self._reader.read)
        except SnapshotInvalid as error:
            _log.info("starting without routes: %s", error)
            return None

    async def write(self, table: RouteTable) -> None:
        await asyncio.to_thread(self._writer.write, table)


class Reloads(Protocol):
    """What the publisher asks of the gateways."""

    async def reload(self, version: int) -> None:
        """Have every gateway use the snapshot of at least `version`. Raises GatewayUnsure."""
        ...


class Publisher:
    """The route table as the gateways use it. One per control; `start` before anything else."""

    def __init__(
        self,
        snapshots: Snapshots,
        gateways: Reloads,
        *,
        account_id: str,
        access: Access,
    ) -> None:
        self._snapshots = snapshots
        self._gateways = gateways
        self._table = RouteTable(account_id=account_id)
        self._access = access
        self._acknowledged: Mapping[str, Mapping[str, EndpointRoute]] = {}
        self._doubtful: set[EndpointKey] = set()
        self._has_acknowledgement = False
        self._pending: dict[EndpointKey, EndpointRoute | None] = {}
        self._round: asyncio.Future[None] | None = None
        self._rounds: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Take up the routes of the last snapshot, write it again with today's keys and have the gateways use it.

        A gateway that does not answer leaves every route in doubt. Raises OSError if the snapshot cannot be written.
        """
        previous = await self._snapshots.read() or RouteTable()
        self._table = replace(self._table, version=previous.version, endpoints=previous.endpoints)
        self._acknowledged = previous.endpoints
        try:
            await self._write_and_reload({})
        except GatewayUnsure as error:
            _log.warning("%s", error)

    @property
    def version(self) -> int:
        """Of the table that was written last."""
        return self._table.version

    def published(self, key: EndpointKey) -> EndpointRoute | None:
        """The route that every gateway has acknowledged; None if they know of none."""
        return self._acknowledged.get(key.region, {}).get(key.name)

    def is_settled(self, key: EndpointKey) -> bool:
        """Whether no gateway can be using anything else for `key` than `published`."""
        return self._has_acknowledgement and key not in self._doubtful

    def published_keys(self) -> list[EndpointKey]:
        """Every endpoint in the table."""
        return [EndpointKey(region, name) for region, routes in self._table.endpoints.items() for name in routes]

    async def publish(self, key: EndpointKey, route: EndpointRoute | None) -> None:
        """Have every gateway use `route`, or forget `key` if None. Raises GatewayUnsure, OSError."""
        self._doubtful.add(key)
        self._pending[key] = route
        await self._next_round()

    async def publish_access(self, access: Access) -> None:
        """Have every gateway admit whom `access` says, and nobody else. Raises GatewayUnsure, OSError.

        Also after a failure every further table carries it.
        """
        self._access = access
        await self._next_round()

    async def close(self) -> None:
        """Let the round that is running end."""
        if self._rounds is not None:
            await self._rounds

    async def _next_round(self) -> None:
        if self._round is None:
            self._round = asyncio.get_running_loop().create_future()
        if self._rounds is None:
            self._rounds = asyncio.create_task(self._run_rounds(), name="publisher")
        await asyncio.shield(self._round)

    async def _run_rounds(self) -> None:
        try:
            while self._round is not None:
                waiters, changes = self._round, self._pending
                self._round, self._pending = None, {}
                await self._run_round(waiters, changes)
        finally:
            self._rounds = None

    async def _run_round(
        self, waiters: asyncio.Future[None], changes: Mapping[EndpointKey, EndpointRoute | None]
    ) -> None:
        try:
            await self._write_and_reload(changes)
        except Exception as error:  # whatever it is belongs to those who wait for this round
            waiters.set_exception(error)
            waiters.exception()  # a waiter may have been cancelled: then nobody is left to retrieve it
        else:
            waiters.set_result(None)

    async def _write_and_reload(self, changes: Mapping[EndpointKey, EndpointRoute | None]) -> None:
        table = replace(
            self._table,
            version=self._table.version + 1,
            endpoints=_changed(self._table.endpoints, changes),
            keys=self._access.keys,
            permissions=self._access.permissions,
            bearer_keys=self._access.bearer_keys,
        )
        await self._snapshots.write(table)
        self._table = table
        await self._gateways.reload(table.version)
        self._acknowledged = table.endpoints
        self._doubtful = set(self._pending)
        self._has_acknowledgement = True


def _changed(
    endpoints: Mapping[str, Mapping[str, EndpointRoute]], changes: Mapping[EndpointKey, EndpointRoute | None]
) -> dict[str, Mapping[str, EndpointRoute]]:
    by_region: dict[str, dict[str, EndpointRoute | None]] = {}
    for key, route in changes.items():
        by_region.setdefault(key.region, {})[key.name] = route
    replaced = {
        region: ShardedRoutes.of(endpoints.get(region, {})).replaced(routes) for region, routes in by_region.items()
    }
    return {region: routes for region, routes in {**endpoints, **replaced}.items() if routes}

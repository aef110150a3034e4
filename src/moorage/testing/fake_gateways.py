"""Gateways without sockets and a snapshot without a file, for tests of the loops."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from moorage.control.errors import GatewayUnsure
from moorage.core.model import InstanceId
from moorage.core.routes import RouteTable


class FakeGateways:
    """Confirms everything at once. `unsure` makes every question fail; `busy` instances are never drained in time."""

    def __init__(self) -> None:
        self.unsure = False
        self.busy: set[InstanceId] = set()
        self.versions: list[int] = []
        self.asked: list[frozenset[InstanceId]] = []
        self._released = asyncio.Event()

    async def reload(self, version: int) -> None:
        self._check()
        self.versions.append(version)

    async def drain(self, instances: Collection[InstanceId], *, timeout_s: float) -> frozenset[InstanceId]:
        self._check()
        self.asked.append(frozenset(instances))
        try:
            async with asyncio.timeout(timeout_s):
                while self.busy & set(instances):
                    self._released.clear()
                    await self._released.wait()
        except TimeoutError:
            pass
        return frozenset(instances) - self.busy

    def release(self, instance: InstanceId) -> None:
        """End the last request on a busy instance."""
        self.busy.discard(instance)
        self._released.set()

    def _check(self) -> None:
        if self.unsure:
            raise GatewayUnsure("the gateway was told not to confirm")


class FakeSnapshots:
    """Keeps every table written; the last one is read."""

    def __init__(self) -> None:
        self.tables: list[RouteTable] = []

    async def read(self) -> RouteTable | None:
        return self.tables[-1] if self.tables else None

    async def write(self, table: RouteTable) -> None:
        await asyncio.sleep(0.002)  # noqa: TID251 - about what syncing a file takes
        self.tables.append(table)

"""The routes of one region in shards by hash of the endpoint's name, so that a change costs a shard and not the table.

A value is immutable: `replaced` answers a new one that shares every shard without a change with the old. Whoever keeps
something per shard (its encoding, what was prepared from it) tells by identity what is still true.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Final
from zlib import crc32

from moorage.core.routes import EndpointRoute

SHARD_COUNT: Final = 512
"""About twenty endpoints each in a region of 10,000: decoding one stays far below a request's own cost."""

Shard = Mapping[str, EndpointRoute]


class ShardedRoutes(Mapping[str, EndpointRoute]):
    """Routes by endpoint name (case kept). `shards` are `SHARD_COUNT`, and each name lies in the one of its hash."""

    __slots__ = ("shards",)

    def __init__(self, shards: Sequence[Shard] = ({},) * SHARD_COUNT) -> None:
        self.shards = tuple(shards)

    @classmethod
    def of(cls, routes: Shard) -> ShardedRoutes:
        """The same routes in shards."""
        return routes if isinstance(routes, ShardedRoutes) else cls().replaced(routes)

    def __getitem__(self, name: str) -> EndpointRoute:
        return self.shards[_index_of(name)][name]

    def __iter__(self) -> Iterator[str]:
        return chain.from_iterable(self.shards)

    def __len__(self) -> int:
        return sum(map(len, self.shards))

    def __bool__(self) -> bool:
        return any(self.shards)

    def replaced(self, changes: Mapping[str, EndpointRoute | None]) -> ShardedRoutes:
        """These routes with `changes`, where None takes a name away."""
        touched: dict[int, dict[str, EndpointRoute]] = {}
        for name, route in changes.items():
            index = _index_of(name)
            if index not in touched:
                touched[index] = dict(self.shards[index])
            if route is None:
                touched[index].pop(name, None)
            else:
                touched[index][name] = route
        return ShardedRoutes([touched.get(index, shard) for index, shard in enumerate(self.shards)])


def _index_of(name: str) -> int:
    return crc32(name.encode()) % SHARD_COUNT

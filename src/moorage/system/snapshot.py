"""The published route table as a signed file, from which alone a gateway can start.

    moorage-routes-3 <HMAC-SHA256 of the rest, in hexadecimal>
    {"version": 8, "regions": ["eu-west-1"]}
    {"account_id": …, "keys": …}                      what else a table has, but for its endpoints
    {"iris": {…}, …}                                  SHARD_COUNT lines a region, see `core.route_shards`

Writing encodes and reading decodes only what has changed since the last time, and a shard is decoded when one of its
endpoints is first asked for. So a change among 10,000 endpoints costs a reader the check of the signature, for which
Python's lock is let go, and no pause that the requests beside it would notice.

The file holds the secrets of access keys, so it is written with mode 0600 and its errors never quote it. A change of
the table's shape that an older reader would misread takes a new format name.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import msgspec

from moorage.core.route_shards import SHARD_COUNT, Shard, ShardedRoutes
from moorage.core.routes import EndpointRoute, RouteTable
from moorage.system.files import write_durably

_FORMAT: Final = b"moorage-routes-3"
_NO_SHARDS: Final[Sequence[tuple[Shard | None, bytes]]] = [(None, b"")] * SHARD_COUNT

_encode: Final = msgspec.json.Encoder().encode
_decode_common: Final = msgspec.json.Decoder(RouteTable).decode
_decode_shard: Final = msgspec.json.Decoder(dict[str, EndpointRoute]).decode


class SnapshotInvalid(Exception):
    """The file is missing, damaged, of another format, or signed with another key."""


class SnapshotWriter:
    """Writes one table after another to the same path."""

    def __init__(self, path: Path, *, key: bytes) -> None:
        self._path = path
        self._key = key
        self._common = (RouteTable(), _encode(RouteTable()))
        self._regions: dict[str, Sequence[tuple[Shard | None, bytes]]] = {}

    def write(self, table: RouteTable) -> None:
        """Replace the snapshot durably: a reader sees the old table or the new one. Raises OSError."""
        common = replace(table, version=0, endpoints={})
        if common != self._common[0]:
            self._common = (common, _encode(common))
        self._regions = {region: self._encoded(region, routes) for region, routes in table.endpoints.items()}
        write_durably(self._path, self._signed(table.version))

    def _encoded(self, region: str, routes: Shard) -> Sequence[tuple[Shard | None, bytes]]:
        """Each shard with its line; one that was written before keeps it."""
        before = self._regions.get(region, _NO_SHARDS)
        shards = ShardedRoutes.of(routes).shards
        return [
            known if known[0] is shard else (shard, _line_of(shard))
            for known, shard in zip(before, shards, strict=True)
        ]

    def _signed(self, version: int) -> bytes:
        head = _encode(_Head(version, list(self._regions)))
        shards = [line for region in self._regions.values() for _, line in region]
        signed = b"\n".join((head, self._common[1], *shards, b""))
        return b"%b %b\n%b" % (_FORMAT, _sign(signed, self._key), signed)


class SnapshotReader:
    """Reads the same path again and again; tables share what has not changed from one to the next. Several may read."""

    def __init__(self, path: Path, *, key: bytes) -> None:
        self._path = path
        self._key = key
        self._common = (b"", RouteTable())
        self._regions: dict[str, Sequence[_StoredShard]] = {}

    def read(self) -> RouteTable:
        """The table that was last written with the same key. Nothing is parsed before its signature is checked.

        Raises SnapshotInvalid, with a sentence that names the file.
        """
        content = self._content()
        lines = _Lines(content, self._begin(content))
        try:
            head = msgspec.json.decode(lines.take(), type=_Head)
            common = self._decoded(lines)
            regions = {region: self._stored(region, lines) for region in head.regions}
        except (msgspec.MsgspecError, ValueError) as error:
            raise SnapshotInvalid(f"{self._path} does not hold a route table") from error
        self._regions = regions
        endpoints = {region: ShardedRoutes(shards) for region, shards in regions.items()}
        return replace(common, version=head.version, endpoints=endpoints)

    def _content(self) -> bytes:
        try:
            return self._path.read_bytes()
        except OSError as error:
            raise SnapshotInvalid(f"{self._path} cannot be read: {error.strerror}") from error

    def _begin(self, content: bytes) -> int:
        """Where what is signed begins. Raises SnapshotInvalid."""
        begin = content.find(b"\n") + 1
        name, _, signature = content[: max(begin - 1, 0)].partition(b" ")
        if name != _FORMAT:
            raise SnapshotInvalid(f"{self._path} is not a route snapshot that this version of Moorage can read")
        if not hmac.compare_digest(signature, _sign(memoryview(content)[begin:], self._key)):
            raise SnapshotInvalid(f"{self._path} is damaged or was signed with another key")
        return begin

    def _decoded(self, lines: _Lines) -> RouteTable:
        known, table = self._common
        line = lines.take(known)
        if line is not known:
            table = _decode_common(line)
            self._common = (line, table)
        return table

    def _stored(self, region: str, lines: _Lines) -> Sequence[_StoredShard]:
        before = self._regions.get(region) or [_StoredShard(b"")] * SHARD_COUNT
        return [shard if (line := lines.take(shard.line)) is shard.line else _StoredShard(line) for shard in before]


class _Head(msgspec.Struct, frozen=True):
    version: int
    regions: list[str]


class _Lines:
    """The lines of a file, one by one."""

    def __init__(self, content: bytes, position: int) -> None:
        self._content = content
        self._position = position

    def take(self, known: bytes = b"") -> bytes:
        """The next line: `known` itself if that is what it says, so that nothing is copied. Raises ValueError."""
        begin = self._position
        end = begin + len(known)
        if not known or self._content[end : end + 1] != b"\n" or not self._content.startswith(known, begin):
            end = self._content.index(b"\n", begin)
            known = self._content[begin:end]
        self._position = end + 1
        return known


class _StoredShard(Mapping[str, EndpointRoute]):
    """A shard as its line says it, decoded when it is first looked into."""

    __slots__ = ("_routes", "line")

    def __init__(self, line: bytes) -> None:
        self.line = line
        self._routes: dict[str, EndpointRoute] | None = None

    def __getitem__(self, name: str) -> EndpointRoute:
        return self._decoded()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._decoded())

    def __len__(self) -> int:
        return len(self._decoded())

    def _decoded(self) -> dict[str, EndpointRoute]:
        if self._routes is None:
            self._routes = _decode_shard(self.line)
        return self._routes


def _line_of(shard: Shard) -> bytes:
    return shard.line if isinstance(shard, _StoredShard) else _encode(shard)


def _sign(signed: bytes | memoryview, key: bytes) -> bytes:
    # A key of its own for every format, so that the format's name need not be copied in front of megabytes. In one
    # call, since that lets Python's lock go: `HMAC.update` keeps it, and every request waits (2.5 ms, CPython 3.11).
    return hmac.digest(hmac.digest(key, _FORMAT, "sha256"), signed, "sha256").hex().encode()

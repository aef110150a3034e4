"""What the parts of the CloudWatch Logs service have in common: what they are given, and which group is meant.

A group is there if somebody made it, which a document in the store says, or if instances of an endpoint have printed
something. Its document's body holds `retentionInDays` and `metricFilters`, where they are set.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, TypeVar

from moorage.api.logs.errors import invalid, no_such_group, no_such_stream
from moorage.api.service import Caller, Service
from moorage.core.iam.principal import Requirement
from moorage.store.base import Document, Store, Transaction
from moorage.system.clock import Clock
from moorage.telemetry.log_places import LogPlaces, StreamFile
from moorage.telemetry.log_writer import PutTimes
from moorage.telemetry.logs import NoSuchStream

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What the operations act through."""

    places: LogPlaces
    store: Store
    clock: Clock
    account_id: str
    ending: asyncio.Event
    """Set when calls that last have to end."""
    filters_changed: Callable[[], Awaitable[None]]
    """Returns once metric filters are gone by as they are stored."""
    put_times: PutTimes


class Part(Service):
    """Some of the operations."""

    name: ClassVar[str] = "logs"

    def __init__(self, needs: Needs) -> None:
        self._needs = needs
        self._places = needs.places
        self._store = needs.store
        self._clock = needs.clock

    async def requirements(self, operation: str, caller: Caller, request: Mapping[str, Any]) -> Sequence[Requirement]:
        """The groups, and the stream, that are named, in the form in which AWS asks for them."""
        if operation == "TestMetricFilter":
            return [Requirement("logs:TestMetricFilter")]
        named = () if operation == "DescribeLogGroups" else _named(request)
        names = [_name_of(text) for text in named] or [""]
        stream = request.get("logStreamName", "")
        actions = [operation, "TagResource"] if operation == "CreateLogGroup" and request.get("tags") else [operation]
        return [
            Requirement(f"logs:{action}", f"{self._group_arn(caller.region, name)}:log-stream:{stream}")
            for name in names
            for action in actions
        ]

    def _group_arn(self, region: str, name: str) -> str:
        return f"arn:aws:logs:{region}:{self._needs.account_id}:log-group:{name}"

    def _group_meant(self, caller: Caller, request: Mapping[str, Any]) -> str:
        """The name of the group that a request names by name or by ARN. Raises InvalidParameterException."""
        name, identifier = request.get("logGroupName"), request.get("logGroupIdentifier")
        if (name is None) == (identifier is None):
            raise invalid("Exactly one of logGroupName and logGroupIdentifier must be given.")
        return str(name) if name is not None else self._group_identified(caller, str(identifier))

    def _group_identified(self, caller: Caller, identifier: str) -> str:
        """The name in an ARN of our account and the caller's region; anything else is taken for a name."""
        return identifier.removeprefix(self._group_arn(caller.region, "")).removesuffix(":*")

    async def _require_group(self, region: str, name: str) -> Document | None:
        """The group's document, if it has one. Raises ResourceNotFoundException."""
        document = await self._store.run(lambda tx: tx.log_groups.get(region, name))
        if document is None and not await asyncio.to_thread(self._places.has_printed, region, name):
            raise no_such_group()
        return document

    async def _change_group(self, region: str, name: str, change: Callable[[dict[str, Any]], None]) -> None:
        """Change what is kept of a group, in a document of its own from now on. Raises ResourceNotFoundException."""
        has_printed = await asyncio.to_thread(self._places.has_printed, region, name)
        now = self._clock.now()

        def save(tx: Transaction) -> None:
            document = tx.log_groups.get(region, name)
            if document is None and not has_printed:
                raise no_such_group()
            body = dict(document.body) if document is not None else {}
            change(body)
            created_at = document.created_at if document is not None else now
            fresh = self._document(region, name, body=body, created_at=created_at)
            (tx.log_groups.insert if document is None else tx.log_groups.replace)(fresh)

        await self._store.run(save)

    def _document(self, region: str, name: str, *, body: dict[str, Any], created_at: datetime) -> Document:
        return Document(region, name, self._group_arn(region, name), created_at, self._clock.now(), body)

    async def _streams(self, region: str, group: str) -> dict[str, StreamFile]:
        """The streams of a group by name, in order. Raises ResourceNotFoundException."""
        found = await asyncio.to_thread(self._places.streams, region, group)
        if not found:
            await self._require_group(region, group)
        return found

    async def _stream(self, region: str, group: str, name: str) -> StreamFile:
        """Raises ResourceNotFoundException."""
        found = await asyncio.to_thread(self._places.stream, region, group, name)
        if found is None:
            await self._require_group(region, group)
            raise no_such_stream()
        return found


async def in_thread(work: Callable[[], T]) -> T:
    """Use files without holding up the loop. Raises ResourceNotFoundException for a stream that has just gone."""
    try:
        return await asyncio.to_thread(work)
    except NoSuchStream:
        raise no_such_stream() from None


def _named(request: Mapping[str, Any]) -> Iterable[str]:
    for member in ("logGroupName", "logGroupIdentifier", "resourceArn"):
        if member in request:
            yield request[member]
    yield from request.get("logGroupIdentifiers", ())


def _name_of(identifier: str) -> str:
    """The name in an ARN of any group, or the identifier itself."""
    return (identifier.partition(":log-group:")[2] or identifier).removesuffix(":*")

"""What the store keeps and how it is asked. Statements run in one thread, one transaction a call.

`Store.run(work)` hands `work` a `Transaction` in the store's own thread and commits when it returns: what `run` has
returned is on disk. Keep `work` short and free of anything but the transaction: it holds up every other caller.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Literal, NamedTuple, Protocol, TypeVar

from moorage.core.model import Endpoint, EndpointKey
from moorage.core.traffic import SeriesKey, Tallies, Tally
from moorage.core.usage import Usage

T = TypeVar("T")
R = TypeVar("R")


class StaleVersion(Exception):
    """The record changed since it was loaded: load it again and decide again."""


class AlreadyExists(Exception):
    """A record of that name is there already."""


class StoreUnavailable(Exception):
    """The database cannot be reached or cannot write now (disk full, connection lost); later it may."""


class StoreUnusable(Exception):
    """The database cannot be opened until a person has done something: it is damaged, or a newer Moorage wrote it."""


@dataclass(frozen=True, slots=True)
class Document:
    """A resource that is its AWS request, kept as it was accepted: a model, an endpoint config, a role, a user."""

    region: str
    name: str
    arn: str
    created_at: datetime
    modified_at: datetime
    body: dict[str, Any]
    """JSON-ready, in AWS's member names."""


@dataclass(frozen=True, slots=True)
class ListQuery:
    """A page of a list, with SageMaker's filters. Names are matched without regard to case by `name_contains`.

    Names sort without regard to case, and break the ties of the other orders in the same direction. `*_before` is
    exclusive and `*_after` inclusive, as SageMaker words them.
    """

    region: str
    limit: int
    sort_by: Literal["Name", "CreationTime", "Status"] = "CreationTime"
    ascending: bool = False
    name_contains: str | None = None
    created_before: datetime | None = None
    created_after: datetime | None = None
    modified_before: datetime | None = None
    modified_after: datetime | None = None
    status: str | None = None
    after: tuple[str, str] | None = None
    """The sort value and name of the last row of the page before: a page goes on behind them, whatever was deleted."""


@dataclass(frozen=True, slots=True)
class Page(Generic[R]):
    """Rows in order, and where the next page goes on (None at the end)."""

    rows: Sequence[R]
    next_after: tuple[str, str] | None


class Documents(Protocol):
    """One table of documents. Lookup is without regard to case where AWS's is; the stored name keeps its case.

    AWS's is for models, endpoint configs and whatever IAM has; all that CloudWatch and scaling have is found by
    its exact name.
    """

    def get(self, region: str, name: str) -> Document | None: ...
    def insert(self, document: Document) -> None:
        """Raises AlreadyExists."""
        ...

    def replace(self, document: Document) -> None:
        """Put `document` in the place of the one of its region and name. Raises KeyError if there is none."""
        ...

    def delete(self, region: str, name: str) -> bool:
        """Whether there was one."""
        ...

    def list(self, query: ListQuery) -> Page[Document]: ...
    def regions(self) -> Sequence[str]:
        """Where there are any, in order."""
        ...

    def count(self, region: str) -> int:
        """How many there are in a region."""
        ...


class Endpoints(Protocol):
    """The endpoints."""

    def get(self, key: EndpointKey) -> Endpoint | None:
        """Case of the name is disregarded, as SageMaker's control plane does; the answer carries the stored case."""
        ...

    def insert(self, endpoint: Endpoint) -> None:
        """Raises AlreadyExists."""
        ...

    def swap(self, endpoint: Endpoint) -> Endpoint:
        """Save `endpoint` if the stored version is `endpoint.version`; answers it with the version it now has.

        Raises StaleVersion, also if it is gone or is a namesake with another uid.
        """
        ...

    def delete(self, key: EndpointKey, uid: str) -> bool: ...
    def keys(self) -> Sequence[EndpointKey]: ...
    def list(self, query: ListQuery) -> Page[Endpoint]: ...


class Tags(Protocol):
    """Tags by the ARN they are on, in the order they were put."""

    def get(self, arn: str) -> dict[str, str]: ...
    def put(self, arn: str, tags: dict[str, str]) -> None: ...
    def remove(self, arn: str, keys: Sequence[str]) -> None: ...
    def clear(self, arn: str) -> None: ...


class Counted(NamedTuple):
    """What was counted of a series in a second, or a minute, that begins at `at_s`."""

    at_s: int
    key: SeriesKey
    tally: Tally


@dataclass(frozen=True, slots=True)
class TrafficProgress:
    """How far the traffic has been written. Saved by compare-and-swap on `version` with whatever it speaks of."""

    version: int = 0
    minutes_until_s: int = 0
    """Seconds before this time, in seconds since 1970, are in the minutes and in the totals, later ones are not yet."""


class Traffic(Protocol):
    """What was counted of the traffic, and of each ledger, how far it has been taken. Times are seconds since 1970."""

    def progress(self) -> TrafficProgress: ...
    def swap(self, progress: TrafficProgress) -> TrafficProgress:
        """Save `progress` if the stored version is its own; answers it with the version it now has.

        Raises StaleVersion.
        """
        ...

    def add_second(self, at_s: int, tallies: Tallies) -> None:
        """Add to what was counted in one second."""
        ...

    def add_minute(self, at_s: int, tallies: Tallies) -> None:
        """Add to what was counted in the minute that begins at `at_s`, and in total."""
        ...

    def seconds(
        self, since_s: int, until_s: int, *, endpoint: EndpointKey | None = None, latencies: bool = True
    ) -> Sequence[Counted]:
        """What was counted from `since_s` up to, but not including, `until_s`, in order of time.

        Without `latencies` the histograms are left empty: reading them is most of the time that this takes.
        """
        ...

    def minutes(
        self, since_s: int, until_s: int, *, endpoint: EndpointKey, latencies: bool = True
    ) -> Sequence[Counted]:
        """The minutes that begin in that time, in order of time."""
        ...

    def archived(
        self, since_s: int, until_s: int, *, endpoint: EndpointKey, latencies: bool = True
    ) -> Sequence[Counted]:
        """What has left the minutes, by variants instead of instances, in order of time."""
        ...

    def latest(self, region: str) -> Mapping[SeriesKey, int]:
        """Of each series that still has a minute, or a second that is in none yet, when the last of them begins."""
        ...

    def totals(self, endpoint: EndpointKey | None = None) -> Tallies:
        """All that has gone into minutes, ever."""
        ...

    def archive(self, *, minutes_before_s: int, fives_before_s: int, hours_before_s: int) -> None:
        """Move older minutes into the archive by five minutes, older ones of these by hours, and forget older hours.

        `fives_before_s` is a multiple of an hour. What the archive has of a variant is one series, without instances.
        """
        ...

    def expire(self, *, seconds_before_s: int, minutes_before_s: int) -> None:
        """Forget what is older. Totals stay.

        Of a series of which nothing else is left, the total goes into one of its variant, and with the last of the
        variant's into one of its endpoint, whose key has no config: instances come and go, and rows would never end.
        """
        ...

    def images(self) -> Mapping[str, Mapping[int, bytes]]:
        """By ledger and series number, what has been taken, see `telemetry.ledger_images.encode_image`."""
        ...

    def put_images(self, ledger: str, images: Mapping[int, bytes]) -> None: ...
    def drop_images(self, ledger: str, numbers: Collection[int]) -> None: ...
    def drop_ledger(self, ledger: str) -> None: ...


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """Something that happened: a change of an alarm, a scaling activity."""

    kind: str
    region: str
    subject: str
    """What it happened to: entries are found by it."""
    at: datetime
    body: dict[str, Any]
    id: int = 0
    """Given by the journal: later entries have higher ones."""


class Journal(Protocol):
    """What happened, in the order in which it was written down."""

    def add(self, entry: JournalEntry) -> JournalEntry:
        """Answers the entry with its id."""
        ...

    def amend(self, id_: int, body: dict[str, Any]) -> None:
        """How something that took its time has gone on. Raises KeyError if the entry has expired."""
        ...

    def list(
        self,
        kind: str,
        region: str,
        *,
        subject: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int,
        newest_first: bool = True,
        after: JournalEntry | None = None,
    ) -> Sequence[JournalEntry]:
        """Entries by time, then id: those from `since` on and before `until`, and behind `after` in this order."""
        ...

    def counts(self, kind: str) -> Mapping[tuple[str, str], int]:
        """How many entries there have ever been, those that have expired included, by region and subject."""
        ...

    def expire(self, kind: str, *, before: datetime) -> None:
        """Forget what is older."""
        ...


class Usages(Protocol):
    """The lives of instances, by the order in which they began."""

    def begin(self, usages: Collection[Usage]) -> None: ...
    def touch(self, at: datetime) -> None:
        """Say of all that are open that they were there until now."""
        ...

    def end(self, instance: str, at: datetime | None = None) -> None:
        """Close what is open of an instance, at the last time it was said to be there if `at` is None."""
        ...

    def open(self) -> Sequence[Usage]: ...
    def list(self, region: str, *, since: datetime, until: datetime, endpoint: str | None = None) -> Sequence[Usage]:
        """Those that were there at some time from `since` on and before `until`, whole. What is open is there still."""
        ...

    def expire(self, before: datetime) -> None:
        """Forget what ended before."""
        ...


class Transaction(Protocol):
    """One transaction's view of every table."""

    @property
    def models(self) -> Documents: ...
    @property
    def endpoint_configs(self) -> Documents: ...
    @property
    def roles(self) -> Documents: ...
    @property
    def policies(self) -> Documents: ...
    @property
    def users(self) -> Documents: ...
    @property
    def bearer_keys(self) -> Documents:
        """One document for all keys of an endpoint, named `<region>/<endpoint name>`, in no region."""
        ...

    @property
    def alarms(self) -> Documents: ...
    @property
    def dashboards(self) -> Documents:
        """In no region."""
        ...

    @property
    def topics(self) -> Documents: ...
    @property
    def scalable_targets(self) -> Documents: ...
    @property
    def scaling_policies(self) -> Documents: ...
    @property
    def scheduled_actions(self) -> Documents: ...
    @property
    def log_groups(self) -> Documents: ...
    @property
    def endpoints(self) -> Endpoints: ...
    @property
    def tags(self) -> Tags: ...
    @property
    def traffic(self) -> Traffic: ...
    @property
    def journal(self) -> Journal: ...
    @property
    def usages(self) -> Usages: ...


class Store(Protocol):
    """The state of one Moorage."""

    async def run(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in a transaction and commit. Whatever it raises rolls back. Raises StoreUnavailable."""
        ...

    async def read(self, work: Callable[[Transaction], T]) -> T:
        """Run `work`, which changes nothing, on what has been committed. It waits for no writer, nor do they for it.

        For what reads much. Raises StoreUnavailable.
        """
        ...

    async def close(self) -> None: ...

"""Bringing postings to subscribers: saved first, then sent, again and again for about twenty minutes.

What was saved and not brought when the process died is sent by the next one, so a subscriber may get it twice. What
came of a delivery is saved as soon as the store takes it. Subscribers that do not answer hold up nobody else.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol

import msgspec

from moorage.control.notifications.posting import NotPosted
from moorage.core.notifications.messages import Posting
from moorage.core.notifications.topic import ForbiddenAddress, TooManyNotifications
from moorage.store.base import JournalEntry, Store, StoreUnavailable, Transaction
from moorage.system.clock import Clock
from moorage.system.tasks import BackgroundTasks

JOURNAL_KIND: Final = "notification"
RETRIES_AFTER_S: Final = (1, 5, 20, 60, 300, 900)
ON_THEIR_WAY_MAX: Final = 2000
KEPT: Final = timedelta(days=1)
_AT_ONCE: Final = 16
_AT_ONCE_EACH: Final = 2
_EXPIRE_EVERY_S: Final = 3600.0
_SAVE_AGAIN_S: Final = 5.0
_PAGE: Final = 500
_TOO_MANY_REQUESTS: Final = 429

_log = logging.getLogger(__name__)


class Outcome(StrEnum):
    """How far a delivery has come."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Delivery:
    """Something to be brought to a subscriber, as the journal keeps it."""

    posting: Posting
    outcome: Outcome = Outcome.PENDING
    attempts: int = 0
    error: str | None = None


Saved = Sequence[tuple[JournalEntry, Delivery]]
"""Deliveries that are saved and not begun."""


class Poster(Protocol):
    """Makes the requests, see `posting.Poster`."""

    async def post(self, posting: Posting) -> int: ...


@dataclass(slots=True)
class _Line:
    """What is on its way to one subscriber."""

    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE_EACH))
    waiting: int = 0


class Deliveries:
    """Everything that is on its way."""

    def __init__(self, store: Store, poster: Poster, clock: Clock) -> None:
        self._store = store
        self._poster = poster
        self._clock = clock
        self._tasks = BackgroundTasks()
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._lines: dict[str, _Line] = {}

    async def start(self) -> None:
        """Go on with what the process before this one has not brought."""
        since = self._clock.now() - KEPT
        for entry in await self._store.run(lambda tx: _unfinished(tx, since=since)):
            self._begin(entry, msgspec.convert(entry.body, Delivery))
        self._tasks.keep(self._expire, name="forget old notifications", clock=self._clock)

    async def close(self) -> None:
        """Stop. What is on its way is still saved as that."""
        await self._tasks.close()

    def check_room(self) -> None:
        """Raises TooManyNotifications if no more is taken."""
        if sum(line.waiting for line in self._lines.values()) >= ON_THEIR_WAY_MAX:
            raise TooManyNotifications

    def save(self, tx: Transaction, region: str, postings: Mapping[str, Posting], *, now: datetime) -> Saved:
        """Save postings by the ARN of who gets each, to be handed to `begin` once the transaction is committed."""
        saved = []
        for arn, posting in postings.items():
            delivery = Delivery(posting)
            entry = tx.journal.add(JournalEntry(JOURNAL_KIND, region, arn, now, msgspec.to_builtins(delivery)))
            saved.append((entry, delivery))
        return saved

    def begin(self, saved: Saved) -> None:
        """Bring what `save` has answered."""
        for entry, delivery in saved:
            self._begin(entry, delivery)

    async def join(self) -> None:
        """Wait until nothing is on its way."""
        while self._lines:
            await self._clock.sleep(0.05)

    def _begin(self, entry: JournalEntry, delivery: Delivery) -> None:
        line = self._lines.setdefault(entry.subject, _Line())
        line.waiting += 1
        self._tasks.start(self._bring(entry, delivery, line), name=f"notify {entry.subject}")

    async def _bring(self, entry: JournalEntry, delivery: Delivery, line: _Line) -> None:
        try:
            while delivery.outcome is Outcome.PENDING:
                async with line.slots, self._slots:
                    delivery = await self._attempt(delivery)
                if delivery.outcome is Outcome.PENDING:
                    await self._clock.sleep(RETRIES_AFTER_S[delivery.attempts - 1])
            if delivery.error is not None:
                _log.warning("a notification to %s was given up: %s", entry.subject, delivery.error)
            await self._save_outcome(entry, delivery)
        finally:
            line.waiting -= 1
            if not line.waiting:
                self._lines.pop(entry.subject, None)

    async def _attempt(self, delivery: Delivery) -> Delivery:
        """The delivery after another attempt."""
        delivery = replace(delivery, attempts=delivery.attempts + 1)
        try:
            status = await self._poster.post(delivery.posting)
        except ForbiddenAddress as error:
            return replace(delivery, outcome=Outcome.FAILED, error=str(error))
        except NotPosted as error:
            return _failed(delivery, str(error))
        if 200 <= status < 300:
            return replace(delivery, outcome=Outcome.DELIVERED)
        if 300 <= status < 500 and status != _TOO_MANY_REQUESTS:
            return replace(delivery, outcome=Outcome.FAILED, error=f"answered {status}")
        return _failed(delivery, f"answered {status}")

    async def _save_outcome(self, entry: JournalEntry, delivery: Delivery) -> None:
        """Again until it is saved, or the next process would send it once more."""
        while True:
            try:
                await self._store.run(lambda tx: tx.journal.amend(entry.id, msgspec.to_builtins(delivery)))
            except StoreUnavailable as error:
                _log.warning("what came of a notification to %s cannot be saved now: %s", entry.subject, error)
                await self._clock.sleep(_SAVE_AGAIN_S)
            else:
                return

    async def _expire(self) -> None:
        while True:
            try:
                await self._store.run(_expire_before(self._clock.now() - KEPT))
            except StoreUnavailable as error:
                _log.warning("old notifications cannot be forgotten now: %s", error)
            await self._clock.sleep(_EXPIRE_EVERY_S)


def _failed(delivery: Delivery, error: str) -> Delivery:
    """To be tried again, unless it was tried often enough."""
    if delivery.attempts <= len(RETRIES_AFTER_S):
        return delivery
    return replace(delivery, outcome=Outcome.FAILED, error=f"{error}, {delivery.attempts} times")


def _expire_before(before: datetime) -> Callable[[Transaction], None]:
    return lambda tx: tx.journal.expire(JOURNAL_KIND, before=before)


def _unfinished(tx: Transaction, *, since: datetime) -> list[JournalEntry]:
    found: list[JournalEntry] = []
    for region in tx.topics.regions():
        last: JournalEntry | None = None
        while True:
            rows = tx.journal.list(JOURNAL_KIND, region, since=since, limit=_PAGE, newest_first=False, after=last)
            found += [row for row in rows if row.body["outcome"] == Outcome.PENDING]
            if len(rows) < _PAGE:
                break
            last = rows[-1]
    return found

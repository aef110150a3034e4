"""Admission: how much an instance is asked at once, and who waits in front of a variant for a slot. Sans-I/O.

Every instance has slots, and a request takes one for as long as it is on the instance. When all are taken, requests
wait in the variant's queue, first come, first served, for as long as it is likely that their turn comes before their
deadline; the others are refused at once, for that is an answer a caller can use. Nothing here is touched by a request
that finds a free slot.

Where there is no instance, or none that takes requests, but one is coming, requests are held: they wait until their
deadline, whatever was learned of how fast others were served, and are given no instance that is out of rotation.

Times are monotonic seconds. Who joins brings a callback, which must not raise; it is called from within `serve`,
`expire`, `follow` or `disperse`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, MutableSet
from typing import Any, Final, Generic, NamedTuple, TypeVar

from moorage.gateway.pick import Candidate, Pick

C = TypeVar("C", bound=Candidate)
Turn = Callable[[C | None], None]
"""Called with the instance on which a slot has been taken, or with None: look again for where to go."""

WAIT_S: Final = 5.0
"""How long a request may wait for a slot, and how long there may be somebody waiting until it is no burst any more."""
STANDING_WAIT_S: Final = 1.0
"""How long a request may expect to wait from then on: a queue that stands only makes every answer late."""
WAITERS_MAX: Final = 1024
WAITING_BYTES_MAX: Final = 32 * 1024 * 1024
ALLOWANCE_S: Final = 60.0
_MEMORY_S: Final = 5.0
_FIRST_GUESS: Final = (50.0, 1.0)


class Share(NamedTuple):
    """What one gateway worker may ask of every instance."""

    concurrency_max: int = 64
    """Of an instance whose route does not say, over all workers."""
    workers: int = 1

    def slots(self, concurrency_max: int | None) -> int:
        """This worker's part of what the route says.

        >>> Share(64, workers=2).slots(None), Share(64, workers=2).slots(3), Share(64, workers=2).slots(1)
        (32, 2, 1)
        """
        return math.ceil((concurrency_max or self.concurrency_max) / self.workers)


WHOLE_SHARE: Final = Share()
"""That of a worker which is alone."""


class Allowance:
    """How many slots this worker gives out on one instance: all it may, but fewer after a request has timed out there.

    More requests on a slow instance than it answers in a minute means that each times out just when its turn comes, and
    no work is of use to anybody. So a timeout halves the slots, and every minute without one brings an eighth more.
    """

    __slots__ = ("_halved_at", "_quiet_since", "_withheld", "slots_max")

    def __init__(self, slots_max: int) -> None:
        self.slots_max = slots_max
        """Set anew when the route says another."""
        self._withheld = 0
        self._halved_at = -math.inf
        self._quiet_since = -math.inf

    def slots(self, now: float) -> int:
        """How many there are now."""
        while self._withheld > 0 and now - self._quiet_since >= ALLOWANCE_S:
            self._withheld -= max(1, self._given // 8)
            self._quiet_since += ALLOWANCE_S
        return self._given

    def record_timeout(self, *, now: float) -> None:
        """A request was not answered in time. Those that follow within a minute were sent before this was known."""
        slots = self.slots(now)
        self._quiet_since = now
        if now - self._halved_at >= ALLOWANCE_S:
            self._withheld = self.slots_max - slots // 2
            self._halved_at = now

    @property
    def _given(self) -> int:
        return max(1, self.slots_max - max(0, self._withheld))


class Pace:
    """How fast waiters are served, as a mean over the last seconds in which there were any.

    The first guess, fifty served in a second, is a bold one, so that nobody is refused for want of knowledge.
    """

    __slots__ = ("_at", "_observed_s", "_served")

    def __init__(self) -> None:
        self._served, self._observed_s = _FIRST_GUESS
        self._at = 0.0

    def begin(self, now: float) -> None:
        """There is a first waiter."""
        self._at = now

    def count(self, served: int, *, now: float) -> None:
        """So many have been served since the last call or the beginning."""
        passed = max(0.0, now - self._at)
        kept = math.exp(-passed / _MEMORY_S)
        self._served = self._served * kept + served
        self._observed_s = self._observed_s * kept + passed
        self._at = now

    def wait_s(self, ahead: int) -> float:
        """How long it is likely to take until so many are served."""
        return ahead * self._observed_s / self._served


class Waiter(Generic[C]):
    """A request in a queue."""

    __slots__ = ("body_bytes", "deadline", "is_waiting", "on_turn", "only")

    def __init__(self, on_turn: Turn[C], *, deadline: float, body_bytes: int, only: C | None) -> None:
        self.on_turn = on_turn
        self.is_waiting = True
        self.deadline = deadline
        self.body_bytes = body_bytes
        self.only = only


class Queue(Generic[C]):
    """The requests waiting for a slot on any instance of one variant, or on `only` a certain one.

    It outlasts the variant's routes: each brings another `pick`. While it is not empty it is in `occupied`.
    """

    __slots__ = ("__weakref__", "_began", "_bytes", "_occupied", "_pace", "_serving", "is_held", "pick", "waiters")

    def __init__(self, occupied: MutableSet[Any]) -> None:
        self.waiters: dict[Waiter[C], None] = {}
        """In order of arrival. Looked at by whoever gives a slot back; changed here only."""
        self.pick: Pick[C] = _nobody
        """Finds an instance with a free slot."""
        self.is_held = False
        """Whether somebody waits for an instance to be there at all."""
        self._occupied = occupied
        self._pace = Pace()
        self._began = 0.0
        self._bytes = 0
        self._serving = False

    def drop(self, pick: Pick[C]) -> None:
        """Find no more instances by `pick`, unless another took its place. The instances know the queue: a circle."""
        if self.pick is pick:
            self.pick = _nobody

    def join(
        self, on_turn: Turn[C], *, deadline: float, now: float, body_bytes: int = 0, only: C | None = None
    ) -> Waiter[C] | None:
        """Wait for a turn until `deadline`; None if it will hardly come by then, or too many wait already.

        An empty queue takes everybody: by those who wait it learns how long that takes.
        """
        if not self.waiters:
            self._began = now
            self._pace.begin(now)
        if self._is_full(body_bytes) or self._expected_wait_s(now) >= self._patience_s(deadline, now):
            return None
        return self._add(Waiter(on_turn, deadline=deadline, body_bytes=body_bytes, only=only))

    def hold(self, on_turn: Turn[C], *, deadline: float, now: float, body_bytes: int = 0) -> Waiter[C] | None:
        """Wait for an instance in rotation, and for a turn then; None if `deadline` has passed or too many wait."""
        if deadline <= now or self._is_full(body_bytes):
            return None
        self.is_held = True
        return self._add(Waiter(on_turn, deadline=deadline, body_bytes=body_bytes, only=None))

    def leave(self, waiter: Waiter[C]) -> None:
        """The caller is gone: a turn would be wasted on it. Does nothing if it has had its turn."""
        if waiter.is_waiting:
            self._remove(waiter)

    def serve(self, now: float) -> None:
        """Give every free slot to who has waited longest for it."""
        if self._serving:  # called by a turn that was over at once: the loop that took it goes on
            return
        self._serving = True
        try:
            while (turn := self._next_turn(now)) is not None:
                self._end_hold(now)
                waiter, instance = turn
                self._remove(waiter)
                self._pace.count(1, now=now)
                instance.in_flight += 1
                waiter.on_turn(instance)
        finally:
            self._serving = False

    def expire(self, now: float) -> None:
        """Have those look again whose deadline has passed."""
        self._send_back([waiter for waiter in self.waiters if waiter.deadline <= now])

    def follow(self, now: float) -> None:
        """The variant's route has changed. Those who wait for a certain instance have to find out if it is there."""
        self._end_hold(now)
        self._send_back([waiter for waiter in self.waiters if waiter.only is not None])
        self.serve(now)

    def disperse(self) -> None:
        """The variant is gone: have everybody look again."""
        self._send_back(list(self.waiters))

    def _add(self, waiter: Waiter[C]) -> Waiter[C]:
        self.waiters[waiter] = None
        self._occupied.add(self)
        self._bytes += waiter.body_bytes
        return waiter

    def _is_full(self, body_bytes: int) -> bool:
        return len(self.waiters) >= WAITERS_MAX or self._bytes + body_bytes > WAITING_BYTES_MAX

    def _expected_wait_s(self, now: float) -> float:
        self._pace.count(0, now=now)
        return self._pace.wait_s(len(self.waiters))

    def _patience_s(self, deadline: float, now: float) -> float:
        left = deadline - now
        return left if now - self._began < WAIT_S else min(left, STANDING_WAIT_S)

    def _end_hold(self, now: float) -> None:
        """There is an instance: from here on it counts how fast that one is."""
        if self.is_held:
            self.is_held = False
            self._began, self._pace = now, Pace()
            self._pace.begin(now)

    def _next_turn(self, now: float) -> tuple[Waiter[C], C] | None:
        if not self.waiters:
            return None
        free = self.pick(now)
        if self.is_held and free is not None and free.health.out_until > now:
            free = None
        for waiter in self.waiters:
            instance = free if waiter.only is None else _if_free(waiter.only)
            if instance is not None:
                return waiter, instance
        return None

    def _send_back(self, waiters: list[Waiter[C]]) -> None:
        for waiter in waiters:
            self._remove(waiter)
        for waiter in waiters:
            waiter.on_turn(None)

    def _remove(self, waiter: Waiter[C]) -> None:
        waiter.is_waiting = False
        del self.waiters[waiter]
        if not self.waiters:
            self._occupied.discard(self)
            self.is_held = False
        self._bytes -= waiter.body_bytes


def _nobody(_now: float) -> None:
    return None


def _if_free(instance: C) -> C | None:
    return instance if instance.in_flight < instance.slots else None

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from moorage.core.model import RoutingStrategy
from moorage.gateway.admission import (
    STANDING_WAIT_S,
    WAIT_S,
    WAITERS_MAX,
    WAITING_BYTES_MAX,
    Allowance,
    Pace,
    Queue,
    Share,
    Waiter,
)
from moorage.gateway.health import Health
from moorage.gateway.pick import Pick, make_pick

FOREVER = 1e9


@dataclass(eq=False)
class Fake:
    """An instance with one slot, unless said otherwise."""

    in_flight: int = 0
    slots: int = 1
    health: Health = field(default_factory=Health)


def picking(*instances: Fake) -> Pick[Fake]:
    return make_pick(RoutingStrategy.LEAST_OUTSTANDING_REQUESTS, instances, lambda: 0.5)


def queueing(pick: Pick[Fake]) -> Queue[Fake]:
    queue: Queue[Fake] = Queue(set())
    queue.pick = pick
    return queue


class Caller:
    """Remembers the turns it got."""

    def __init__(self) -> None:
        self.turns: list[Fake | None] = []

    def join(self, queue: Queue[Fake], **options: object) -> Waiter[Fake] | None:
        arguments: dict[str, object] = {"deadline": FOREVER, "now": 0.0, **options}
        return queue.join(self.turns.append, **arguments)  # type: ignore[arg-type]


def give_back(queue: Queue[Fake], instance: Fake, now: float = 0.0) -> None:
    instance.in_flight -= 1
    queue.serve(now)


@given(st.integers(1, 1000), st.integers(1, 32))
def test_the_workers_together_give_an_instance_what_it_may_have(limit: int, workers: int) -> None:
    slots = Share(64, workers).slots(limit)
    assert limit <= slots * workers < limit + workers


def test_a_timeout_halves_the_slots_and_they_come_back_by_and_by() -> None:
    allowance = Allowance(64)
    assert 64 == allowance.slots(0)
    for passed in range(5):
        allowance.record_timeout(now=60.0 + passed)
    assert [32, 36, 40, 45] == [allowance.slots(64 + passed) for passed in (0, 60, 120, 180)]
    allowance.record_timeout(now=250)
    assert 22 == allowance.slots(250)
    assert 64 == allowance.slots(86_400)


@given(st.integers(1, 1000), st.lists(st.floats(0, 300), max_size=30))
def test_there_is_always_a_slot_and_never_one_too_many(slots_max: int, pauses: list[float]) -> None:
    allowance, now = Allowance(slots_max), 0.0
    for pause in pauses:
        now += pause
        allowance.record_timeout(now=now)
        assert 1 <= allowance.slots(now) <= slots_max
    assert slots_max == allowance.slots(now + 60 * slots_max)


def test_slots_go_to_who_has_waited_longest() -> None:
    instance = Fake(in_flight=1)
    queue, callers = queueing(picking(instance)), [Caller() for _ in range(3)]
    for caller in callers:
        caller.join(queue)
    give_back(queue, instance)
    give_back(queue, instance)
    assert [[instance], [instance], []] == [caller.turns for caller in callers]
    assert 1 == instance.in_flight


def test_a_turn_is_not_given_to_who_has_left() -> None:
    instance = Fake(in_flight=1)
    queue, gone, next_one = queueing(picking(instance)), Caller(), Caller()
    waiter = gone.join(queue)
    next_one.join(queue)
    assert waiter is not None
    queue.leave(waiter)
    queue.leave(waiter)
    give_back(queue, instance)
    assert ([], [instance]) == (gone.turns, next_one.turns)


def test_who_waits_for_a_certain_instance_gets_that_one() -> None:
    one, other = Fake(in_flight=1), Fake(in_flight=1)
    queue, pinned, free = queueing(picking(one, other)), Caller(), Caller()
    pinned.join(queue, only=one)
    free.join(queue)
    give_back(queue, other)
    assert ([], [other]) == (pinned.turns, free.turns)
    give_back(queue, one)
    assert [one] == pinned.turns


def test_a_slot_on_an_instance_out_of_rotation_is_not_given_away() -> None:
    sick, sound = Fake(in_flight=1), Fake(in_flight=1)
    sick.health.suspend()
    queue, caller = queueing(picking(sick, sound)), Caller()
    caller.join(queue)
    give_back(queue, sick)
    assert [] == caller.turns
    give_back(queue, sound)
    assert [sound] == caller.turns


def test_who_has_waited_too_long_looks_again() -> None:
    queue, caller, patient = queueing(picking(Fake(in_flight=1))), Caller(), Caller()
    caller.join(queue, deadline=5.0)
    patient.join(queue, deadline=6.0)
    queue.expire(4.9)
    assert [] == caller.turns
    queue.expire(5.0)
    assert ([None], []) == (caller.turns, patient.turns)


def test_a_queue_follows_its_variant() -> None:
    old, new = Fake(in_flight=1), Fake()
    queue, pinned, free = queueing(picking(old)), Caller(), Caller()
    pinned.join(queue, only=old)
    free.join(queue)
    queue.pick = picking(new)
    queue.follow(0.0)
    assert ([None], [new]) == (pinned.turns, free.turns)


def test_without_their_variant_all_look_again() -> None:
    queue, caller = queueing(picking(Fake(in_flight=1))), Caller()
    caller.join(queue)
    queue.disperse()
    assert [None] == caller.turns
    assert not queue.waiters


def test_a_queue_is_bounded_by_count_and_by_bytes() -> None:
    queue = queueing(picking(Fake(in_flight=1)))
    assert Caller().join(queue, body_bytes=WAITING_BYTES_MAX)
    assert Caller().join(queue, body_bytes=1) is None
    for _ in range(WAITERS_MAX - 1):
        assert Caller().join(queue)
    assert Caller().join(queue) is None


def test_bytes_are_free_again_when_their_waiter_is_gone() -> None:
    instance = Fake(in_flight=1)
    queue = queueing(picking(instance))
    for end in (queue.leave, lambda _: queue.expire(FOREVER), lambda _: give_back(queue, instance)):
        waiter = Caller().join(queue, body_bytes=WAITING_BYTES_MAX)
        assert waiter is not None
        end(waiter)


def test_who_cannot_make_it_is_refused_at_once() -> None:
    instance = Fake(in_flight=1)
    queue, now = queueing(picking(instance)), 0.0
    for _ in range(300):  # ten a second, for longer than the queue remembers
        while not queue.waiters:
            assert Caller().join(queue, now=now)
        now += 0.1
        give_back(queue, instance, now)
    waiting = 0
    while Caller().join(queue, now=now, deadline=now + 5.0):
        waiting += 1
    assert waiting == pytest.approx(50, abs=5)


def test_in_an_overload_that_lasts_all_slots_are_used_and_few_wait_for_long() -> None:
    """Three times what a model can do, which answers fifty a second."""
    instance, waits, sent_back = Fake(in_flight=1), list[float](), 0
    queue = queueing(picking(instance))

    def come(now: float) -> None:
        def on_turn(found: Fake | None) -> None:
            nonlocal sent_back
            sent_back += found is None
            waits.append(clock - now)

        queue.join(on_turn, deadline=now + WAIT_S, now=now)

    for tick in range(3 * 50 * 60):
        clock = tick / 150
        come(clock)
        if tick % 3 == 2:
            give_back(queue, instance, clock)
        queue.expire(clock)
    assert 50 * 60 == len(waits)
    assert 0 == sent_back
    assert max(waits) < WAIT_S
    assert max(waits[50 * 20 :]) < 1.2 * STANDING_WAIT_S


def test_an_empty_queue_takes_everybody_however_slow_it_was() -> None:
    queue = queueing(picking(Fake(in_flight=1)))
    first = Caller().join(queue)
    assert first is not None
    assert Caller().join(queue, now=1000.0, deadline=1005.0) is None
    queue.leave(first)
    assert Caller().join(queue, now=1000.0, deadline=1005.0)


def test_a_turn_that_is_over_at_once_makes_no_deep_stack() -> None:
    instance = Fake(in_flight=1)
    queue, turns = queueing(picking(instance)), []

    def take(found: Fake | None) -> None:
        turns.append(found)
        give_back(queue, instance)

    for _ in range(WAITERS_MAX):
        assert queue.join(take, deadline=FOREVER, now=0.0)
    give_back(queue, instance)
    assert [instance] * WAITERS_MAX == turns


@given(st.floats(0.001, 10), st.integers(1, 32))
def test_the_pace_is_that_of_bursts_too(interval: float, burst: int) -> None:
    pace, now = Pace(), 0.0
    pace.begin(now)
    for _ in range(int(60 / interval) + 8):
        now += interval
        pace.count(burst, now=now)
    assert pace.wait_s(100) == pytest.approx(100 * interval / burst, rel=0.9)


class Crowd(RuleBasedStateMachine):
    """Callers come, are held, leave, wait too long and are served, and instances fail, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.fleet = [Fake(slots=slots) for slots in (1, 2)]
        self.pick = picking(*self.fleet)
        self.queue: Queue[Fake] = queueing(self.pick)
        self.waiting: dict[int, Waiter[Fake]] = {}
        self.working: list[Fake] = []
        self.number = 0

    @rule(patience=st.floats(0.1, 5), pinned=st.sampled_from([None, 0, 1]))
    def come(self, patience: float, pinned: int | None) -> None:
        only = None if pinned is None else self.fleet[pinned]
        found = (self.pick if only is None else picking(only))(self.now)
        if found is not None:
            found.in_flight += 1
            self.working.append(found)
            return
        self.number += 1
        on_turn = self._on_turn(self.number)
        waiter = self.queue.join(on_turn, deadline=self.now + patience, now=self.now, body_bytes=7, only=only)
        if waiter is not None:
            self.waiting[self.number] = waiter

    @rule(patience=st.floats(0.1, 5))
    def hold(self, patience: float) -> None:
        self.number += 1
        waiter = self.queue.hold(self._on_turn(self.number), deadline=self.now + patience, now=self.now)
        assert waiter is not None
        self.waiting[self.number] = waiter
        self.queue.serve(self.now)  # as whoever looks does before long

    @rule(which=st.integers(0, 1))
    def fail(self, which: int) -> None:
        self.fleet[which].health.record_failure(now=self.now)
        self.queue.serve(self.now)

    def _on_turn(self, number: int) -> Callable[[Fake | None], None]:
        def on_turn(instance: Fake | None) -> None:
            waiter = self.waiting.pop(number)
            if instance is None:
                assert waiter.deadline <= self.now
            else:
                assert waiter.only in (None, instance)
                self.working.append(instance)

        return on_turn

    @rule(which=st.integers(0, 100))
    def finish(self, which: int) -> None:
        if self.working:
            give_back(self.queue, self.working.pop(which % len(self.working)), self.now)

    @rule(which=st.integers(0, 100))
    def give_up(self, which: int) -> None:
        if self.waiting:
            self.queue.leave(self.waiting.pop(sorted(self.waiting)[which % len(self.waiting)]))

    @rule(seconds=st.floats(0.01, 2))
    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        self.queue.expire(self.now)
        self.queue.serve(self.now)

    @invariant()
    def every_slot_is_accounted_for(self) -> None:
        for instance in self.fleet:
            assert self.working.count(instance) == instance.in_flight <= instance.slots

    @invariant()
    def nobody_waits_beside_a_free_slot(self) -> None:
        assert set(self.waiting.values()) == set(self.queue.waiters)
        if any(waiter.only is None for waiter in self.queue.waiters):
            free = self.pick(self.now)
            assert free is None or (self.queue.is_held and free.health.is_ejected(self.now))


Crowd.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestCrowd = Crowd.TestCase


def test_who_is_held_gets_a_turn_in_order_once_there_is_an_instance() -> None:
    queue, instance = Queue[Fake](set()), Fake(slots=3)
    callers = [Caller() for _ in range(5)]
    for caller in callers:
        assert queue.hold(caller.turns.append, deadline=60.0, now=0.0) is not None
    assert queue.is_held
    queue.pick = picking(instance)
    queue.follow(now=30.0)
    assert [[instance]] * 3 + [[]] * 2 == [caller.turns for caller in callers]
    assert not queue.is_held
    give_back(queue, instance, now=30.1)
    assert [instance] == callers[3].turns


def test_how_long_others_were_held_says_nothing_of_how_fast_an_instance_is() -> None:
    queue, instance = Queue[Fake](set()), Fake()
    for _ in range(3):
        queue.hold(Caller().turns.append, deadline=60.0, now=0.0)
    queue.pick = picking(instance)
    queue.follow(now=30.0)
    assert Caller().join(queue, now=30.0, deadline=30.0 + WAIT_S) is not None


def test_too_many_and_too_late_are_not_held() -> None:
    queue = Queue[Fake](set())
    assert queue.hold(Caller().turns.append, deadline=1.0, now=1.0) is None
    for _ in range(WAITERS_MAX):
        assert queue.hold(Caller().turns.append, deadline=60.0, now=0.0) is not None
    assert queue.hold(Caller().turns.append, deadline=60.0, now=0.0) is None


def test_who_leaves_last_ends_the_hold() -> None:
    queue = Queue[Fake](set())
    waiter = queue.hold(Caller().turns.append, deadline=60.0, now=0.0)
    assert waiter is not None
    queue.leave(waiter)
    assert not queue.is_held

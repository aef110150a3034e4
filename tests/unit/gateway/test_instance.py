import pytest

from moorage.core.model import InstanceId, RoutingStrategy
from moorage.gateway.admission import Queue
from moorage.gateway.instance import Instance
from moorage.gateway.pick import make_pick
from moorage.wire.limits import Limits
from moorage.wire.messages import Disconnected, NoAnswer, NotSent, WireError
from moorage.wire.pool import Pool

NOW = 100.0


@pytest.fixture
def instance() -> Instance:
    """One with two slots."""
    queue: Queue[Instance] = Queue(set())
    instance = Instance(InstanceId("i-1"), Pool("/run/i-1", Limits()), queue, slots_max=2, monotonic=lambda: NOW)
    queue.pick = make_pick(RoutingStrategy.RANDOM, [instance], lambda: 0.0)
    return instance


async def test_a_slot_given_back_goes_to_a_waiter_before_the_instance_is_idle(instance: Instance) -> None:
    turns: list[Instance | None] = []
    instance.in_flight = 2
    for _ in range(2):
        assert instance.queue.join(turns.append, deadline=NOW + 5, now=NOW)
    idle = instance.idle()
    instance.leave()
    instance.leave()
    assert ([instance, instance], 2) == (turns, instance.in_flight)
    assert not idle.done()
    instance.leave()
    instance.leave()
    assert idle.done()


@pytest.mark.parametrize(("error", "slots"), [(NoAnswer(), 1), (NotSent(), 2), (Disconnected(), 2)])
def test_whatever_fails_ejects_and_a_timeout_costs_slots(instance: Instance, error: WireError, slots: int) -> None:
    instance.record_failure(error)
    assert instance.health.is_ejected(NOW)
    assert slots == instance.allowance.slots(NOW)


def test_timeouts_of_a_frozen_instance_say_nothing_of_how_much_it_can_do(instance: Instance) -> None:
    instance.health.suspend()
    instance.record_failure(NoAnswer())
    assert 2 == instance.allowance.slots(NOW)


def test_an_ejection_says_why_once(instance: Instance, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(3):
        instance.record_failure(Disconnected("the upstream closed the connection"))
    assert ["i-1 is left alone for 1 s: the upstream closed the connection"] == caplog.messages

"""The traffic's metrics are what was counted, each invocation once, wherever it is kept by now."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moorage.control.metrics.traffic_source import PRESENCE, TrafficSource
from moorage.core.latency import Histogram
from moorage.core.metrics.distribution import Distribution
from moorage.core.metrics.metric import MetricKey
from moorage.core.metrics.traffic import Scope
from moorage.core.model import EndpointKey
from moorage.core.traffic import SHARE, SeriesKey, Tally
from moorage.store.base import Transaction
from moorage.telemetry.metrics.base import Measured, MetricFilter, MetricsUnavailable
from moorage.testing.memory_metrics import MemoryMetrics
from moorage.testing.memory_store import MemoryStore

NOW_S = 1_800_000_000 // 7200 * 7200
SHOP = EndpointKey("us-east-1", "Shop")
ONE = SeriesKey("us-east-1", "Shop", "first", "blue", "i-1")
TWO = ONE._replace(instance="i-2")
GREEN = ONE._replace(variant="green")
LATER = ONE._replace(config="second")
REFUSED = SeriesKey("us-east-1", "Shop", "first")
OTHER = ONE._replace(endpoint="Other")


def invoked(times: int) -> Tally:
    return Tally((times, 0, 0, 0, 0, 0, 0), times * SHARE // 2, Histogram({100: times}, 100 * times))


class World:
    """A store, what was sampled, and the source of both."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.sampled = MemoryMetrics()
        self.source = TrafficSource(self.store, self.sampled)

    async def count(self, at_s: int, tallies: Mapping[SeriesKey, Tally], *, written_until_s: int = NOW_S) -> None:
        """As the accounts do it: each second goes into the seconds, and with its minute's end into the minutes."""

        def add(tx: Transaction) -> None:
            tx.traffic.add_second(at_s, tallies)
            if at_s < written_until_s:
                tx.traffic.add_minute(at_s - at_s % 60, tallies)
            progress = tx.traffic.progress()
            if progress.minutes_until_s != written_until_s:
                tx.traffic.swap(type(progress)(progress.version, written_until_s))

        await self.store.run(add)

    async def sums(self, scope: Scope, *, period_s: int = 60, name: str = "Invocations") -> dict[int, float]:
        """By how long before now a period begins, what was invoked in it."""
        key = scope.metric(name)
        until_s = NOW_S + 7200
        found = await self.source.read([key], since_s=NOW_S - 100 * 86_400, until_s=until_s, period_s=period_s)
        return {at_s - NOW_S: values.sum for at_s, values in sorted(found[key].items())}


@pytest.fixture
def world() -> World:
    return World()


async def test_every_scope_has_what_is_its(world: World) -> None:
    await world.count(NOW_S - 30, {ONE: invoked(1), TWO: invoked(2), GREEN: invoked(4), LATER: invoked(8)})
    await world.count(NOW_S - 10, {REFUSED: invoked(16), OTHER: invoked(32)})
    for scope, expected in [
        (Scope(SHOP), 31.0),
        (Scope(SHOP, "blue"), 11.0),
        (Scope(SHOP, "blue", "first"), 3.0),
        (Scope(SHOP, "green"), 4.0),
        (Scope(SHOP, "red"), None),
    ]:
        assert ({-60: expected} if expected else {}) == await world.sums(scope)
    assert {-60: 5.5} == await world.sums(Scope(SHOP, "blue"), name="InvocationsPerInstance")
    assert {-60: 1100.0} == await world.sums(Scope(SHOP, "blue"), name="ModelLatency")


async def test_what_is_in_no_minute_yet_is_there_by_its_seconds(world: World) -> None:
    await world.count(NOW_S - 1, {ONE: invoked(1)})
    await world.count(NOW_S, {ONE: invoked(2)})
    await world.count(NOW_S + 59, {ONE: invoked(4)})
    assert {-60: 1.0, 0: 6.0} == await world.sums(Scope(SHOP, "blue"))


async def test_short_periods_are_read_by_the_second_as_long_as_there_are_any(world: World) -> None:
    old_s = NOW_S - 4 * 3600
    await world.count(old_s + 7, {ONE: invoked(1)})
    await world.count(NOW_S - 7, {ONE: invoked(2)})
    await world.count(NOW_S + 3, {ONE: invoked(4)})
    await world.store.run(lambda tx: tx.traffic.expire(seconds_before_s=NOW_S - 3 * 3600, minutes_before_s=0))
    assert {old_s - NOW_S: 1.0, -7: 2.0, 3: 4.0} == await world.sums(Scope(SHOP, "blue"), period_s=1)


async def test_what_is_old_comes_from_the_archive(world: World) -> None:
    for days in (1, 20, 70):
        await world.count(NOW_S - days * 86_400 + 60, {ONE: invoked(days), TWO: invoked(days)})
    await world.store.run(
        lambda tx: tx.traffic.archive(
            minutes_before_s=NOW_S - 15 * 86_400, fives_before_s=NOW_S - 63 * 86_400, hours_before_s=0
        )
    )
    expected = {-70 * 86_400: 140.0, -20 * 86_400: 40.0, -86_400 + 60: 2.0}
    assert expected == await world.sums(Scope(SHOP, "blue"))


COUNTED = st.lists(
    st.tuples(st.integers(-80 * 86_400, 119), st.sampled_from([ONE, TWO, GREEN, REFUSED]), st.integers(1, 9)),
    max_size=20,
)


@settings(max_examples=50, deadline=None)
@given(counted=COUNTED, period_s=st.sampled_from([1, 10, 60, 300, 3600]))
async def test_the_sum_is_the_number_of_invocations(counted: list[tuple[int, SeriesKey, int]], period_s: int) -> None:
    world = World()
    for before_s, key, times in counted:
        await world.count(NOW_S + before_s, {key: invoked(times)})
    await world.store.run(
        lambda tx: tx.traffic.archive(
            minutes_before_s=NOW_S - 15 * 86_400, fives_before_s=NOW_S - 63 * 86_400, hours_before_s=0
        )
    )
    await world.store.run(
        lambda tx: tx.traffic.expire(seconds_before_s=NOW_S - 3 * 3600, minutes_before_s=NOW_S - 15 * 86_400)
    )
    found = await world.sums(Scope(SHOP), period_s=period_s)
    assert sum(times for _, _, times in counted) == sum(found.values())


async def test_silence_of_a_variant_that_was_there_is_nought_and_of_one_that_was_not_is_nothing(world: World) -> None:
    there = Measured(Scope(SHOP, "blue").metric(PRESENCE), NOW_S - 110, Distribution(10.0, 0.0, 0.0, 0.0))
    await world.sampled.put([there, there._replace(at_s=NOW_S - 50)])
    await world.count(NOW_S - 40, {ONE: invoked(3)})
    for name, per_call in (("Invocations", 1.0), ("InvocationsPerInstance", 0.5)):
        assert {-120: 0.0, -60: 3 * per_call} == await world.sums(Scope(SHOP, "blue"), name=name)
    assert {} == await world.sums(Scope(SHOP, "green"))
    assert {-60: 0.0} == await world.sums(Scope(SHOP, "blue"), name="Invocation5XXErrors")
    (values,) = (
        await world.source.read(
            [Scope(SHOP, "blue").metric("Invocations")], since_s=NOW_S - 60, until_s=NOW_S, period_s=60
        )
    ).values()
    assert 3.0 == values[NOW_S - 60].count


async def test_metrics_are_listed_while_there_is_something_of_them(world: World) -> None:
    await world.count(NOW_S - 7200, {ONE: invoked(1)})
    await world.count(NOW_S - 10, {REFUSED: invoked(1), OTHER: invoked(1)})
    blue = MetricFilter("us-east-1", name="Invocations", dimensions=(("EndpointName", "Shop"),))
    keys = [Scope(SHOP).metric("Invocations"), Scope(SHOP, "blue").metric("Invocations")]
    assert sorted([*keys, Scope(SHOP, "blue", "first").metric("Invocations")]) == list(await world.source.find(blue))
    recent = MetricFilter("us-east-1", active_since_s=NOW_S - 60, dimensions=(("VariantName", None),))
    assert {"Other"} == {dict(key.dimensions)["EndpointName"] for key in await world.source.find(recent)}
    assert [] == await world.source.find(MetricFilter("us-east-1", namespace="Shop"))
    assert [] == await world.source.find(MetricFilter("eu-west-1"))


async def test_a_variant_that_was_never_invoked_is_listed_with_what_is_nought(world: World) -> None:
    presence = Scope(SHOP, "blue").metric(PRESENCE)
    await world.sampled.put([Measured(presence, NOW_S - 10, Distribution(10.0, 0.0, 0.0, 0.0))])
    found = [Scope(SHOP, "blue").metric(name) for name in ("Invocations", "InvocationsPerInstance")]
    assert found == list(await world.source.find(MetricFilter("us-east-1", active_since_s=NOW_S - 60)))
    assert found[1:] == list(await world.source.find(MetricFilter("us-east-1", name="InvocationsPerInstance")))
    assert [] == list(await world.source.find(MetricFilter("us-east-1", dimensions=(("VariantName", "green"),))))


async def test_a_metric_is_answered_in_its_unit_only(world: World) -> None:
    await world.count(NOW_S - 10, {ONE: invoked(1)})
    key = Scope(SHOP, "blue").metric("ModelLatency")
    assert ["Microseconds"] == list(await world.source.units(key))
    for unit, count in ((None, 1), ("Microseconds", 1), ("Seconds", 0)):
        found = await world.source.read([key], since_s=NOW_S - 60, until_s=NOW_S, period_s=60, unit=unit)
        assert count == len(found[key])


async def test_other_metrics_are_left_to_others(world: World) -> None:
    key = MetricKey("us-east-1", "Shop", "Sales")
    assert {key: {}} == await world.source.read([key], since_s=0, until_s=60, period_s=60)
    assert [] == list(await world.source.units(key))


async def test_a_store_that_is_away_is_said_to_be(world: World) -> None:
    world.store.unavailable = True
    with pytest.raises(MetricsUnavailable):
        await world.sums(Scope(SHOP))
    with pytest.raises(MetricsUnavailable):
        await world.source.find(MetricFilter("us-east-1"))

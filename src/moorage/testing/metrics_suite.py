"""What every place that metrics are put into must do. Subclass `MetricsSuite` and give it a `metrics` fixture.

The fixture's clock must stand at `NOW_S`, a few seconds into a minute.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from moorage.core.metrics.distribution import Distribution, distribution_of
from moorage.core.metrics.metric import MetricKey
from moorage.telemetry.metrics.base import Measured, MetricFilter, MetricSink, MetricSource
from moorage.testing.builders import T0

NOW_S = int(T0.timestamp()) // 3600 * 3600 + 7
MINUTE_S = NOW_S - 7
SALES = MetricKey("us-east-1", "Shop", "Sales", (("City", "Bonn"),))
COSTS = SALES._replace(name="Costs")
ABROAD = SALES._replace(region="eu-west-1")


class Metrics(MetricSource, MetricSink, Protocol):
    """Both ways."""


def values(*numbers: float) -> Distribution:
    """A distribution of these."""
    return distribution_of((number, 1.0) for number in numbers)


def sale(*numbers: float, at_s: float = NOW_S, unit: str = "Count", key: MetricKey = SALES) -> Measured:
    """Some sales in one minute."""
    return Measured(key, at_s, values(*numbers), unit)


async def read(
    metrics: MetricSource, *, since_s: int = MINUTE_S - 3600, period_s: int = 60, unit: str | None = None
) -> dict[int, Distribution]:
    """The sales, up to an hour from now."""
    until_s = MINUTE_S + 3600
    return dict((await metrics.read([SALES], since_s=since_s, until_s=until_s, period_s=period_s, unit=unit))[SALES])


class MetricsSuite:
    """The contract, one test a sentence."""

    async def test_of_nothing_there_is_nothing(self, metrics: Metrics) -> None:
        assert {} == await read(metrics)
        assert [] == list(await metrics.find(MetricFilter("us-east-1")))
        assert [] == list(await metrics.units(SALES))

    async def test_what_is_put_is_in_its_period(self, metrics: Metrics) -> None:
        await metrics.put([sale(1.5, 2.0), sale(9.0, at_s=NOW_S - 60)])
        assert {MINUTE_S - 60: values(9.0), MINUTE_S: values(1.5, 2.0)} == known(await read(metrics))

    async def test_a_period_has_all_of_its_values_whenever_they_came(self, metrics: Metrics) -> None:
        for number in (3.0, -1.0, 0.0):
            await metrics.put([sale(9.0, at_s=NOW_S + 60), sale(number), sale(number)])
        found = known(await read(metrics))
        assert values(3.0, 3.0, -1.0, -1.0, 0.0, 0.0) == found[MINUTE_S]
        assert values(9.0, 9.0, 9.0) == found[MINUTE_S + 60]

    async def test_longer_periods_begin_at_their_multiples(self, metrics: Metrics) -> None:
        for minute in range(10):
            await metrics.put([sale(float(minute), at_s=MINUTE_S + 60 * minute)])
        found = known(await read(metrics, period_s=300))
        assert {MINUTE_S: values(0, 1, 2, 3, 4), MINUTE_S + 300: values(5, 6, 7, 8, 9)} == found

    async def test_the_end_is_not_included_and_the_start_is(self, metrics: Metrics) -> None:
        await metrics.put([sale(1.0, at_s=MINUTE_S - 60), sale(2.0, at_s=MINUTE_S), sale(3.0, at_s=MINUTE_S + 60)])
        found = await metrics.read([SALES], since_s=MINUTE_S, until_s=MINUTE_S + 60, period_s=60)
        assert {MINUTE_S: values(2.0)} == known(dict(found[SALES]))

    async def test_every_metric_asked_for_is_answered(self, metrics: Metrics) -> None:
        await metrics.put([sale(1.0)])
        found = await metrics.read([SALES, COSTS, ABROAD], since_s=MINUTE_S, until_s=MINUTE_S + 60, period_s=60)
        assert {SALES: 1, COSTS: 0, ABROAD: 0} == {key: len(series) for key, series in found.items()}

    async def test_units_are_kept_apart_and_read_together_or_one_by_one(self, metrics: Metrics) -> None:
        await metrics.put([sale(1.0, unit="Count"), sale(5.0, unit="Bytes")])
        assert ["Bytes", "Count"] == list(await metrics.units(SALES))
        assert {MINUTE_S: values(5.0)} == known(await read(metrics, unit="Bytes"))
        assert {MINUTE_S: values(1.0, 5.0)} == known(await read(metrics))
        assert {} == await read(metrics, unit="Seconds")

    async def test_a_set_of_statistics_makes_its_period_one(self, metrics: Metrics) -> None:
        await metrics.put([sale(1.0), Measured(SALES, NOW_S, Distribution(3.0, 12.0, 2.0, 7.0), "Count")])
        assert {MINUTE_S: Distribution(4.0, 13.0, 1.0, 7.0)} == await read(metrics)

    async def test_metrics_are_found_by_any_part_of_their_names(self, metrics: Metrics) -> None:
        paris = SALES._replace(dimensions=(("City", "Paris"), ("Shop", "1")))
        await metrics.put([sale(1.0, key=key) for key in (paris, SALES, COSTS, ABROAD)])
        assert sorted([SALES, COSTS, paris]) == list(await metrics.find(MetricFilter("us-east-1")))
        assert [ABROAD] == list(await metrics.find(MetricFilter("eu-west-1", namespace="Shop")))
        assert [COSTS] == list(await metrics.find(MetricFilter("us-east-1", name="Costs")))
        assert [paris] == list(await metrics.find(MetricFilter("us-east-1", dimensions=(("Shop", None),))))
        assert [paris] == list(await metrics.find(MetricFilter("us-east-1", dimensions=(("City", "Paris"),))))
        assert [] == list(await metrics.find(MetricFilter("us-east-1", namespace="Other")))

    async def test_what_was_last_measured_long_ago_is_not_active(self, metrics: Metrics) -> None:
        await metrics.put([sale(1.0, at_s=NOW_S - 7200), sale(1.0, key=COSTS)])
        assert [COSTS] == list(await metrics.find(MetricFilter("us-east-1", active_since_s=NOW_S - 3600)))
        await metrics.put([sale(1.0, at_s=NOW_S - 600)])
        assert [COSTS, SALES] == list(await metrics.find(MetricFilter("us-east-1", active_since_s=NOW_S - 3600)))

    async def test_many_put_at_once_and_nothing_is_lost(self, metrics: Metrics) -> None:
        await asyncio.gather(*(metrics.put([sale(float(number % 5)), sale(1.0, key=COSTS)]) for number in range(200)))
        assert {MINUTE_S: (200.0, 400.0)} == {
            at_s: (each.count, each.sum) for at_s, each in (await read(metrics)).items()
        }


def known(series: dict[int, Distribution]) -> dict[int, Distribution]:
    """The same with buckets, also where they follow from the rest."""
    return {
        at_s: Distribution(each.count, each.sum, each.minimum, each.maximum, each.in_buckets())
        for at_s, each in series.items()
    }

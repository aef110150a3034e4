"""The metrics' file: the contract, and what only a file can do: age, fill, be damaged, be read while it is written."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moorage.core.metrics.distribution import Distribution, distribution_of, value_of
from moorage.telemetry.metrics.base import Measured, MetricFilter, MetricsUnavailable, TooManyMetrics
from moorage.telemetry.metrics.intake import Room
from moorage.telemetry.metrics.readers import THREADS
from moorage.telemetry.metrics.stored import StoredMetrics
from moorage.testing.memory_metrics import MemoryMetrics
from moorage.testing.metrics_suite import COSTS, MINUTE_S, NOW_S, SALES, MetricsSuite, known, read, sale, values

DAY_S = 86_400


class Calendar:
    """A clock that is turned by hand. Whoever waits on it waits for ever."""

    def __init__(self) -> None:
        self.now_s: float = NOW_S

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.now_s, UTC)

    def monotonic(self) -> float:
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        await asyncio.Event().wait()

    def turn(self, **by: float) -> None:
        self.now_s += timedelta(**by).total_seconds()


@pytest.fixture
def calendar() -> Calendar:
    return Calendar()


@contextlib.asynccontextmanager
async def opened(path: Path, calendar: Calendar, room: Room | None = None) -> AsyncIterator[StoredMetrics]:
    metrics = StoredMetrics(path, clock=calendar, room=room)
    await metrics.start()
    try:
        yield metrics
    finally:
        await metrics.close()


@pytest.fixture
async def metrics(tmp_path: Path, calendar: Calendar) -> AsyncIterator[StoredMetrics]:
    async with opened(tmp_path / "metrics.db", calendar) as metrics:
        yield metrics


class TestStoredMetrics(MetricsSuite):
    pass


class TestMemoryMetrics(MetricsSuite):
    @pytest.fixture
    def metrics(self) -> MemoryMetrics:
        return MemoryMetrics()


def rows(path: Path) -> dict[int, int]:
    """How many points are kept by each period."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        counts = {
            period: connection.execute(f"SELECT count(*) FROM points_{period}").fetchone()[0]
            for period in (1, 60, 300, 3600)
        }
    return {period: count for period, count in counts.items() if count}


def fine(*numbers: float, at_s: float) -> Measured:
    return Measured(SALES, at_s, values(*numbers), resolution_s=1)


async def test_what_was_put_is_there_when_the_file_is_opened_again(tmp_path: Path, calendar: Calendar) -> None:
    async with opened(tmp_path / "metrics.db", calendar) as metrics:
        await metrics.put([sale(1.0, 2.0)])
    async with opened(tmp_path / "metrics.db", calendar) as metrics:
        await metrics.put([sale(4.0)])
        assert {MINUTE_S: values(1.0, 2.0, 4.0)} == known(await read(metrics))


async def test_values_are_kept_by_longer_periods_as_they_age(
    tmp_path: Path, calendar: Calendar, metrics: StoredMetrics
) -> None:
    path, begin_s = tmp_path / "metrics.db", MINUTE_S
    for second in range(0, 7200, 10):
        await metrics.put([fine(float(second), at_s=begin_s + second)])
    whole = values(*range(0, 7200, 10))
    for age, kept in [
        (timedelta(0), {1: 720}),
        (timedelta(hours=6), {60: 120}),
        (timedelta(days=16), {300: 24}),
        (timedelta(days=64), {3600: 2}),
        (timedelta(days=456), {}),
    ]:
        calendar.now_s = NOW_S + age.total_seconds()
        await metrics.roll_up()
        assert kept == rows(path)
        found = await metrics.read([SALES], since_s=begin_s, until_s=begin_s + 7200, period_s=7200)
        joined = _joined(found[SALES].values())
        assert (whole if kept else None) == (joined and known({0: joined})[0])
    assert [] == list(await metrics.find(MetricFilter("us-east-1")))


async def test_high_resolution_is_read_by_the_second_and_by_the_minute(metrics: StoredMetrics) -> None:
    await metrics.put([fine(1.0, at_s=MINUTE_S + 1), fine(2.0, at_s=MINUTE_S + 5.9), fine(3.0, at_s=MINUTE_S + 9)])
    assert {MINUTE_S + 1: values(1.0), MINUTE_S + 5: values(2.0), MINUTE_S + 9: values(3.0)} == known(
        await read(metrics, period_s=1)
    )
    assert {MINUTE_S: values(1.0), MINUTE_S + 5: values(2.0, 3.0)} == known(await read(metrics, period_s=5))
    assert {MINUTE_S: values(1.0, 2.0, 3.0)} == known(await read(metrics))


async def test_what_comes_late_joins_what_has_been_moved(metrics: StoredMetrics, calendar: Calendar) -> None:
    await metrics.put([fine(1.0, at_s=MINUTE_S + 1)])
    calendar.turn(hours=5)
    await metrics.roll_up()
    await metrics.put([fine(2.0, at_s=MINUTE_S + 1), fine(4.0, at_s=MINUTE_S + 50)])
    assert {MINUTE_S: values(1.0, 2.0, 4.0)} == known(await read(metrics, period_s=1))


PUT = st.tuples(st.integers(0, 20 * DAY_S), st.floats(-1e6, 1e6, width=32), st.sampled_from([1, 60]), st.booleans())


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(puts=st.lists(PUT, min_size=1, max_size=30), turns=st.lists(st.integers(0, 40 * DAY_S), max_size=3))
def test_nothing_is_lost_or_doubled_by_ageing(
    tmp_path_factory: pytest.TempPathFactory, puts: list[tuple[int, float, int, bool]], turns: list[int]
) -> None:
    path = tmp_path_factory.mktemp("ageing") / "metrics.db"

    async def run() -> Distribution:
        calendar = Calendar()
        async with opened(path, calendar) as metrics:
            for age_s, number, resolution_s, ages in puts:
                await metrics.put([Measured(SALES, NOW_S - age_s, values(number), resolution_s=resolution_s)])
                if ages:
                    await metrics.roll_up()
            for turn_s in turns:
                calendar.now_s += turn_s
                await metrics.roll_up()
            found = await metrics.read([SALES], since_s=0, until_s=2 * NOW_S // DAY_S * DAY_S, period_s=DAY_S)
        whole = _joined(found[SALES].values())
        assert whole is not None
        return whole

    whole, expected = asyncio.run(run()), values(*(number for _, number, _, _ in puts))
    assert (expected.count, expected.minimum, expected.maximum) == (whole.count, whole.minimum, whole.maximum)
    assert expected.sum == pytest.approx(whole.sum, abs=1e-3)
    assert expected.in_buckets() == whole.in_buckets()


def _joined(parts: Any) -> Distribution | None:
    whole: Distribution | None = None
    for part in parts:
        whole = part if whole is None else whole + part
    return whole


async def test_there_is_an_end_to_how_many_metrics_there_may_be(tmp_path: Path, calendar: Calendar) -> None:
    async with opened(tmp_path / "metrics.db", calendar, Room(series_max=1)) as metrics:
        await metrics.put([sale(1.0)])
        with pytest.raises(TooManyMetrics, match="metrics_max"):
            await metrics.put([sale(2.0), sale(2.0, key=COSTS)])
        await metrics.put([sale(4.0)])
        assert {MINUTE_S: values(1.0, 4.0)} == known(await read(metrics))


async def test_who_is_refused_takes_nobody_along(tmp_path: Path, calendar: Calendar) -> None:
    async with opened(tmp_path / "metrics.db", calendar, Room(series_max=1)) as metrics:
        answers = await asyncio.gather(
            *(metrics.put([sale(1.0, key=key)]) for key in (SALES, COSTS) * 20), return_exceptions=True
        )
        assert [None, TooManyMetrics] * 20 == [answer and type(answer) for answer in answers]
        assert 20.0 == (await read(metrics))[MINUTE_S].count


async def test_a_full_file_takes_no_more(tmp_path: Path, calendar: Calendar) -> None:
    async with opened(tmp_path / "metrics.db", calendar, Room(bytes_max=100_000)) as metrics:
        many = [sale(1.0, key=SALES._replace(name=f"{number} {'x' * 200}")) for number in range(1000)]
        await metrics.put(many)
        with pytest.raises(TooManyMetrics, match="metrics_bytes_max"):
            await metrics.put([sale(1.0)])
        assert 1000 == len(await metrics.find(MetricFilter("us-east-1")))


async def test_a_file_that_cannot_be_opened_is_tried_again(tmp_path: Path, calendar: Calendar) -> None:
    folder = tmp_path / "later"
    async with opened(folder / "metrics.db", calendar) as metrics:
        with pytest.raises(MetricsUnavailable):
            await metrics.put([sale(1.0)])
        with pytest.raises(MetricsUnavailable):
            await read(metrics)
        folder.mkdir()
        await metrics.put([sale(2.0)])
        assert {MINUTE_S: values(2.0)} == known(await read(metrics))


@pytest.mark.parametrize("content", [b"not a database at all" * 100, b"SQLite format 3\0" + b"\xff" * 8192])
async def test_a_damaged_file_is_set_aside_and_a_new_one_begun(
    tmp_path: Path, calendar: Calendar, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "metrics.db"
    path.write_bytes(content)
    async with opened(path, calendar) as metrics:
        assert "was damaged" in caplog.text
        await metrics.put([sale(2.0)])
        assert {MINUTE_S: values(2.0)} == known(await read(metrics))
    assert content == path.with_name("metrics.db.damaged").read_bytes()


async def test_a_file_of_another_format_is_set_aside(tmp_path: Path, calendar: Calendar) -> None:
    path = tmp_path / "metrics.db"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version=99")
    async with opened(path, calendar) as metrics:
        await metrics.put([sale(2.0)])
        assert {MINUTE_S: values(2.0)} == known(await read(metrics))
    assert path.with_name("metrics.db.damaged").exists()


async def test_reading_waits_for_nobody_who_writes(tmp_path: Path, metrics: StoredMetrics) -> None:
    await metrics.put([sale(2.0)])
    with contextlib.closing(sqlite3.connect(tmp_path / "metrics.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert {MINUTE_S: values(2.0)} == known(await read(metrics))
        other.execute("ROLLBACK")


async def test_what_is_closed_says_so(tmp_path: Path, calendar: Calendar) -> None:
    async with opened(tmp_path / "metrics.db", calendar) as metrics:
        pass
    for asked in (metrics.put([sale(1.0)]), read(metrics)):
        with pytest.raises(MetricsUnavailable, match="closed"):
            await asked


async def test_counts_may_be_as_large_as_numbers(metrics: StoredMetrics) -> None:
    many = distribution_of([(1.0, 2.0**360), (2.0, 2.0**63), (3.0, 2.0**53 - 1), (4.0, 0.5)])
    await metrics.put([Measured(SALES, NOW_S, many)])
    await metrics.put([sale(3.0)])
    found = (await read(metrics))[MINUTE_S]
    assert {1.0: 2.0**360, 2.0: 2.0**63, 3.0: 2.0**53, 4.0: 0.5} == {
        value_of(bucket): count for bucket, count in (found.in_buckets() or {}).items()
    }


async def test_a_read_that_fails_leaves_nothing_to_the_next_one(metrics: StoredMetrics) -> None:
    await metrics.put([sale(2.0)])
    for _ in range(2 * THREADS):
        with pytest.raises(OverflowError):
            await metrics.read([SALES], since_s=0, until_s=2**64, period_s=60)
    for _ in range(2 * THREADS):
        assert {MINUTE_S: values(2.0)} == known(await read(metrics))


async def test_the_file_is_its_owners_alone(tmp_path: Path, metrics: StoredMetrics) -> None:
    assert 0o600 == (tmp_path / "metrics.db").stat().st_mode & 0o777

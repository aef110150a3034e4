"""What metrics cost: taking them in, writing a minute, reading three hours by the minute, and room on disk.

    python bench/metrics.py [--series 100] [--days 15] [--rounds 300]

Both kinds: those that are put (`metrics.db`), and those read from the traffic (`state.db`), each in a file of its own
that is filled first: as many series, every minute of as many days, sixty values a minute. Without HTTP.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import insert

from moorage.control.metrics.traffic_source import TrafficSource
from moorage.core.latency import Histogram, bucket_of
from moorage.core.metrics.distribution import Distribution, distribution_of
from moorage.core.metrics.metric import MetricKey
from moorage.core.metrics.traffic import Scope
from moorage.core.model import EndpointKey
from moorage.core.traffic import SHARE, SeriesKey, Tally
from moorage.store.base import Transaction
from moorage.store.codec import encode_tally
from moorage.store.sql import open_store
from moorage.store.tables import TRAFFIC_MINUTES
from moorage.store.traffic_rows import identify
from moorage.store.transaction import SqlTransaction
from moorage.system.clock import SystemClock
from moorage.telemetry.metrics.base import Measured, MetricSource
from moorage.telemetry.metrics.stored import StoredMetrics

MINUTE_S = 60
DAY_S = 86_400
VALUES_A_MINUTE = 60
WINDOW_S = 3 * 3600
GOAL_MS = 20.0
MINUTES_AT_ONCE = 60
NOW_S = 1_800_000_000 // DAY_S * DAY_S
PUT_AT_ONCE = 1000
PUTTERS = 8


class Then(SystemClock):
    """It is always the end of the last day."""

    def now(self) -> datetime:
        return datetime.fromtimestamp(NOW_S, UTC)


def main() -> None:
    """Fill, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=int, default=100)
    parser.add_argument("--days", type=int, default=15)
    parser.add_argument("--rounds", type=int, default=300)
    options = parser.parse_args()
    gc.freeze()  # as control does when it has loaded its modules
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_measure_put(Path(folder) / "metrics.db", options))
        asyncio.run(_measure_traffic(Path(folder) / "state.db", options))


async def _measure_put(path: Path, options: argparse.Namespace) -> None:
    metrics = StoredMetrics(path, clock=Then())
    await metrics.start()
    keys = [MetricKey("us-east-1", "Shop", "Latency", (("Server", str(each)),)) for each in range(options.series)]
    values = _distributions(random.Random(1))
    for begin_s in range(NOW_S - options.days * DAY_S, NOW_S, MINUTES_AT_ONCE * MINUTE_S):
        times = range(begin_s, begin_s + MINUTES_AT_ONCE * MINUTE_S, MINUTE_S)
        await metrics.put(
            [
                Measured(key, at_s, values[(at_s // MINUTE_S + number) % len(values)], "Microseconds")
                for at_s in times
                for number, key in enumerate(keys)
            ]
        )
    _say_size("put", path, options)
    await _say_reads("put", metrics, keys, options)
    await _say_intake(metrics)
    await metrics.close()


async def _measure_traffic(path: Path, options: argparse.Namespace) -> None:
    store = open_store(path)
    draw = random.Random(1)
    tallies = [_tally(draw) for _ in range(100)]
    series = [
        SeriesKey("us-east-1", f"shop-{each}", "config", "AllTraffic", f"i-{each:017x}")
        for each in range(options.series)
    ]
    await store.run(lambda tx: _fill(tx, series, tallies, days=options.days))
    _say_size("traffic", path, options)
    minute = {key: tallies[number % len(tallies)] for number, key in enumerate(series)}
    flushes_ms = [
        await _timed_ms(store.run, lambda tx, at_s=NOW_S + each * MINUTE_S: tx.traffic.add_minute(at_s, minute))
        for each in range(30)
    ]
    print(f"traffic: a minute of {options.series} series is written in {statistics.median(flushes_ms):.1f} ms")
    source = TrafficSource(store, Nobody())
    for name in ("Invocations", "ModelLatency"):
        keys = [Scope(EndpointKey(key.region, key.endpoint), key.variant).metric(name) for key in series]
        await _say_reads(f"traffic, {name}", source, keys, options)
    await store.close()


class Nobody:
    """Nobody sampled these variants."""

    async def find(self, wanted: object) -> Sequence[MetricKey]:
        return []

    async def read(self, keys: Sequence[MetricKey], **_: object) -> dict[MetricKey, dict[int, Distribution]]:
        return {key: {} for key in keys}

    async def units(self, key: MetricKey) -> Sequence[str]:
        return []


def _fill(tx: Transaction, series: Sequence[SeriesKey], tallies: Sequence[Tally], *, days: int) -> None:
    """Straight into the table: totals, which `add_minute` adds to, would take most of the time."""
    assert isinstance(tx, SqlTransaction)
    connection, encoded = tx.traffic.connection, [encode_tally(tally) for tally in tallies]
    ids = list(identify(connection, dict.fromkeys(series, Tally())))
    for at_s in range(NOW_S - days * DAY_S, NOW_S, MINUTE_S):
        minute = at_s // MINUTE_S
        rows = [
            {"at_s": at_s, "series_id": id_, "tally": encoded[(minute + number) % len(encoded)]}
            for number, id_ in enumerate(ids)
        ]
        connection.execute(insert(TRAFFIC_MINUTES), rows)
    tx.traffic.swap(replace(tx.traffic.progress(), minutes_until_s=NOW_S))


async def _say_reads(kind: str, source: MetricSource, keys: Sequence[MetricKey], options: argparse.Namespace) -> None:
    async def read(some: Sequence[MetricKey]) -> None:
        found = await source.read(some, since_s=NOW_S - WINDOW_S, until_s=NOW_S, period_s=MINUTE_S)
        if any(len(series) != WINDOW_S // MINUTE_S for series in found.values()):
            raise SystemExit(f"{kind}: there should be a value for every minute")

    times_ms = sorted([await _timed_ms(read, [keys[each % len(keys)]]) for each in range(options.rounds)])
    p99_ms = times_ms[int(len(times_ms) * 0.99)]
    verdict = "ok" if p99_ms <= GOAL_MS else f"above the goal of {GOAL_MS:.0f} ms"
    print(
        f"{kind}: 3 h at 60 s of one series  p50 {statistics.median(times_ms):.1f} ms  p99 {p99_ms:.1f} ms  {verdict}"
    )
    all_ms = [await _timed_ms(read, keys) for _ in range(5)]
    print(f"{kind}: 3 h at 60 s of all {len(keys)} series  {statistics.median(all_ms):.0f} ms")


async def _say_intake(metrics: StoredMetrics) -> None:
    key = MetricKey("us-east-1", "Shop", "Sales")
    one = distribution_of([(1.0, 1.0)])
    batches = [
        [Measured(key._replace(name=f"Sales {putter}-{each}"), NOW_S, one) for each in range(PUT_AT_ONCE)]
        for putter in range(PUTTERS)
    ]
    for kind in ("new series", "known series"):
        took_ms = await _timed_ms(lambda: asyncio.gather(*map(metrics.put, batches)))
        print(
            f"put: {PUTTERS} times {PUT_AT_ONCE} values of {kind} at once: {PUTTERS * PUT_AT_ONCE / took_ms:.0f} a ms"
        )
    times_ms = sorted([await _timed_ms(metrics.put, [batches[0][0]]) for _ in range(300)])
    print(f"put: one value, committed, p50 {times_ms[150]:.2f} ms  p99 {times_ms[297]:.2f} ms")


async def _timed_ms(act: Callable[..., Awaitable[object]], *arguments: object) -> float:
    begun = time.perf_counter()
    await act(*arguments)
    return (time.perf_counter() - begun) * 1000


def _say_size(kind: str, path: Path, options: argparse.Namespace) -> None:
    total = sum(each.stat().st_size for each in path.parent.glob(f"{path.name}*"))
    series_days = options.series * options.days
    print(
        f"{kind}: {options.series} series of {options.days} days take {total / 1e6:.0f} MB: "
        f"{total / series_days / 1e3:.0f} kB a series-day"
    )


def _latencies_us(draw: random.Random) -> list[int]:
    return [int(draw.lognormvariate(8.5, 0.4)) for _ in range(VALUES_A_MINUTE)]


def _distributions(draw: random.Random) -> list[Distribution]:
    return [distribution_of((float(us), 1.0) for us in _latencies_us(draw)) for _ in range(100)]


def _tally(draw: random.Random) -> Tally:
    return Tally(
        (VALUES_A_MINUTE, 0, 0, 0, 0, 0, 0),
        VALUES_A_MINUTE * SHARE,
        _histogram(_latencies_us(draw)),
        _histogram([us // 10 for us in _latencies_us(draw)]),
        bytes_in=6000,
        bytes_out=6000,
    )


def _histogram(latencies_us: Sequence[int]) -> Histogram:
    counts: dict[int, int] = {}
    for us in latencies_us:
        counts[bucket_of(us)] = counts.get(bucket_of(us), 0) + 1
    return Histogram(counts, sum(latencies_us))


if __name__ == "__main__":
    main()

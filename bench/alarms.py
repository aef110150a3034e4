"""What watching alarms costs: the processor time of a minute's pass over the alarms of many variants.

    python bench/alarms.py [--variants 500] [--passes 5]

Every variant has the two alarms of a target-tracking policy, three periods of a minute and fifteen, on its
InvocationsPerInstance, read from the traffic in a database on disk. Processor time is of the whole process, all its
threads; the goal is that of the whole of scaling, ten per cent of a core. Without HTTP.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from moorage.control.alarms.actions import SCALING_PREFIX, Actions, AlarmChange
from moorage.control.alarms.loop import AlarmLoop
from moorage.control.metrics.traffic_source import TrafficSource
from moorage.core.alarms.model import AlarmKey
from moorage.core.metrics.traffic import Scope
from moorage.core.model import EndpointKey
from moorage.core.traffic import SHARE, SeriesKey, Tally
from moorage.store.alarms import put_alarm
from moorage.store.base import TrafficProgress, Transaction
from moorage.store.sql import open_store
from moorage.system.clock import SystemClock
from moorage.telemetry.metrics.stored import StoredMetrics

REGION = "us-east-1"
ACCOUNT_ID = "123456789012"
MINUTE_S = 60
KEPT_MINUTES = 30
CALLS_A_MINUTE = 600
TARGET = 70.0
GOAL_SHARE = 0.1
START = datetime.fromtimestamp(1_800_000_000 // 86_400 * 86_400, UTC)


class SetClock(SystemClock):
    """Tells the time it was set to."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


class Told:
    """Counts how often policies are told."""

    def __init__(self) -> None:
        self.count = 0

    async def __call__(self, action_arn: str, change: AlarmChange) -> None:
        self.count += 1


def main() -> None:
    """Fill, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--variants", type=int, default=500)
    parser.add_argument("--passes", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_measure(Path(folder), options))


async def _measure(folder: Path, options: argparse.Namespace) -> None:
    store = open_store(folder / "state.db")
    clock = SetClock(START)
    stored = StoredMetrics(folder / "metrics.db", clock=clock)
    await stored.start()
    until = START + timedelta(minutes=options.passes + 2)
    await store.run(lambda tx: _fill(tx, options.variants, until))
    await store.run(lambda tx: _put_alarms(tx, options.variants))
    told = Told()
    shares: list[float] = []
    loop = AlarmLoop(store, TrafficSource(store, stored), Actions({SCALING_PREFIX: told}), clock)
    for number in range(options.passes + 1):
        clock.at = START + timedelta(minutes=number, seconds=4)
        wall, processor = time.perf_counter(), time.process_time()
        await loop.run_pass()
        took, used = time.perf_counter() - wall, time.process_time() - processor
        kind = "the first, in which half of them begin to ring" if number == 0 else "another, in which they go on"
        print(
            f"pass over {2 * options.variants} alarms, {kind}: {took * 1000:.0f} ms, {used * 1000:.0f} ms of processor"
        )
        if number:
            shares.append(used / MINUTE_S)
    share = statistics.median(shares)
    verdict = "ok" if share <= GOAL_SHARE else "above the goal"
    print(f"that is {share:.2%} of a core (goal {GOAL_SHARE:.0%}): {verdict}; policies were told {told.count} times")
    await stored.close()
    await store.close()


def _fill(tx: Transaction, variants: int, until: datetime) -> None:
    """Ten calls a second to every variant, for the minutes that alarms look at."""
    tally = Tally((CALLS_A_MINUTE, 0, 0, 0, 0, 0, 0), CALLS_A_MINUTE * SHARE)
    series = [SeriesKey(REGION, f"shop-{each}", "config", "AllTraffic", f"i-{each:017x}") for each in range(variants)]
    tallies = dict.fromkeys(series, tally)
    until_s = int(until.timestamp())
    for at_s in range(until_s - KEPT_MINUTES * MINUTE_S, until_s, MINUTE_S):
        tx.traffic.add_minute(at_s, tallies)
    tx.traffic.swap(TrafficProgress(tx.traffic.progress().version, until_s))


def _put_alarms(tx: Transaction, variants: int) -> None:
    for each in range(variants):
        metric = Scope(EndpointKey(REGION, f"shop-{each}"), "AllTraffic").metric("InvocationsPerInstance")
        policy = f"{SCALING_PREFIX}{REGION}:{ACCOUNT_ID}:scalingPolicy:{each}:resource/sagemaker/x:policyName/p"
        for kind, comparison, periods in (("High", "GreaterThanThreshold", 3), ("Low", "LessThanThreshold", 15)):
            definition = {
                "AlarmName": f"TargetTracking-endpoint/shop-{each}/variant/AllTraffic-Alarm{kind}-{each}",
                "Namespace": metric.namespace,
                "MetricName": metric.name,
                "Dimensions": [{"Name": name, "Value": value} for name, value in metric.dimensions],
                "Statistic": "Sum",
                "Period": MINUTE_S,
                "EvaluationPeriods": periods,
                "Threshold": TARGET if kind == "High" else TARGET * 0.9,
                "ComparisonOperator": comparison,
                "AlarmActions": [policy],
            }
            key = AlarmKey(REGION, str(definition["AlarmName"]))
            put_alarm(tx, key, definition, account_id=ACCOUNT_ID, now=START)


if __name__ == "__main__":
    main()

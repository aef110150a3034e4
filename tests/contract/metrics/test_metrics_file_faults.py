"""The metrics' file when the disk is full, and when its process is killed: what was acknowledged is there."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

from moorage.core.metrics.metric import MetricKey
from moorage.system.clock import SystemClock
from moorage.telemetry.metrics.stored import StoredMetrics

PREPARE = """
import asyncio, resource, sys
from pathlib import Path
from moorage.core.metrics.distribution import distribution_of
from moorage.core.metrics.metric import MetricKey
from moorage.system.clock import SystemClock
from moorage.telemetry.metrics.base import Measured, MetricsUnavailable
from moorage.telemetry.metrics.stored import StoredMetrics

clock = SystemClock()
metrics = StoredMetrics(Path(sys.argv[1]), clock=clock)
key = MetricKey("us-east-1", "Shop", "Sales")

async def put():
    await metrics.put([Measured(key, clock.now().timestamp(), distribution_of([(1.0, 1.0)]))])
"""
UNTIL_FULL = """
async def main():
    await metrics.start()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
    acknowledged = refused = 0
    while refused < 3:
        try:
            await put()
            acknowledged += 1
        except MetricsUnavailable:
            refused += 1
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    await put()
    await metrics.close()
    print(acknowledged + 1)

asyncio.run(main())
"""
FOR_EVER = """
async def putter(number):
    while True:
        await put()
        print(number, flush=True)

async def main():
    await metrics.start()
    await asyncio.gather(*map(putter, range(PUTTERS)))

asyncio.run(main())
"""
PUTTERS = 5


async def _count(path: Path) -> float:
    metrics = StoredMetrics(path, clock=SystemClock())
    await metrics.start()
    key = MetricKey("us-east-1", "Shop", "Sales")
    found = await metrics.read([key], since_s=0, until_s=2**32 // 3600 * 3600, period_s=3600)
    await metrics.close()
    return sum(each.count for each in found[key].values())


def test_a_full_disk_is_answered_and_got_over(tmp_path: Path) -> None:
    path = tmp_path / "metrics.db"
    done = subprocess.run(
        [sys.executable, "-c", PREPARE + UNTIL_FULL, str(path)], capture_output=True, check=True, timeout=120
    )
    assert int(done.stdout) == asyncio.run(_count(path))
    assert not path.with_name("metrics.db.damaged").exists()


def test_of_a_killed_process_everything_that_was_acknowledged_is_there(tmp_path: Path) -> None:
    path = tmp_path / "metrics.db"
    script = f"PUTTERS = {PUTTERS}\n{PREPARE}{FOR_EVER}"
    process = subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    acknowledged = sum(1 for _ in zip(range(500), process.stdout, strict=False))
    process.kill()
    acknowledged += len(process.stdout.read().splitlines())
    process.wait()
    process.stdout.close()
    assert 500 <= acknowledged <= asyncio.run(_count(path)) <= acknowledged + PUTTERS

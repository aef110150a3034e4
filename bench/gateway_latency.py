"""What the gateway adds to latency, beside Envoy and nginx: one request at a time, and at half of what each can do.

    python bench/gateway_latency.py [--rounds 5] [--seconds 4] [--only moorage,envoy-unix]

The processes, their cores and the requests are those of `bench/gateway.py`.

- Added p50: median latency of one connection kept busy by wrk, less that without a proxy.
- p99 at half load: requests fall due at random (Poisson) at half the rate that wrk got out of the same proxy with 32
  connections, and latency counts from when a request fell due.

The table has medians of the rounds with half the range of the readings; ratios are taken within a round. On a virtual
machine both latencies are mostly the waking of idle cores: compare rows of one run only.
"""

from __future__ import annotations

import argparse
import collections
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from harness.figures import half_range, paired_ratio
from harness.lineup import OURS, PROXIES, Lineup, better_envoy, lineup
from harness.machine import wait_for_quiet
from harness.paced import kept_on, run_paced
from harness.wrk import Reading, Wrk

CAPACITY_CONNECTIONS: Final = 32
ADDED_GOAL: Final = 1.2
TAIL_GOAL: Final = 1.0


@dataclass(slots=True)
class Latencies:
    """A reading a round, in microseconds."""

    direct_us: list[float] = field(default_factory=list)
    """p50 without a proxy, one request at a time."""
    added_us: dict[str, list[float]] = field(default_factory=lambda: collections.defaultdict(list))
    """By proxy: what it adds to that."""
    tail_us: dict[str, list[float]] = field(default_factory=lambda: collections.defaultdict(list))
    """By proxy: p99 at half of its capacity."""


def main() -> None:
    """Start everything, measure capacity and then latencies in rounds, print the table."""
    options = _options()
    with tempfile.TemporaryDirectory() as name, lineup(Path(name), options.only) as line:
        bench = Bench(line, Wrk(Path(name), line.other_core), options.seconds, options.patience)
        capacities = bench.capacities(options.rounds)
        latencies = bench.latencies(options.rounds, capacities)
        print(f"{line.placement()}; {options.rounds} rounds of {options.seconds} s\n")
    _print_table(capacities, latencies)


class Bench:
    """Running proxies, and the load to put on them."""

    def __init__(self, line: Lineup, wrk: Wrk, seconds: float, patience_s: float) -> None:
        self._line = line
        self._wrk = wrk
        self._seconds = seconds
        self._patience_s = patience_s

    def capacities(self, rounds: int) -> Mapping[str, float]:
        """Requests a second that each proxy does when it is kept busy."""
        rates = collections.defaultdict(list)
        for number in range(rounds):
            self._wrk.load(self._line.checked_requests())
            for name in self._line.in_turn(number):
                reading = self._busy(self._line.proxies[name].netloc, CAPACITY_CONNECTIONS)
                rates[name].append(reading.rate)
        return {name: statistics.median(readings) for name, readings in rates.items()}

    def latencies(self, rounds: int, capacities: Mapping[str, float]) -> Latencies:
        """Both kinds, once a round."""
        found = Latencies()
        for number in range(rounds):
            requests = self._line.checked_requests()
            self._wrk.load(requests)
            direct_us = self._alone_us(self._line.upstream.netloc)
            found.direct_us.append(direct_us)
            for name in self._line.in_turn(number):
                found.added_us[name].append(self._alone_us(self._line.proxies[name].netloc) - direct_us)
            for name in self._line.in_turn(number):
                wait_for_quiet(self._patience_s)
                with kept_on(self._line.other_core):
                    half = run_paced(
                        self._line.proxies[name].netloc, requests, rate=capacities[name] / 2, seconds=self._seconds
                    )
                found.tail_us[name].append(half.percentile_us(0.99))
        return found

    def _alone_us(self, netloc: str) -> float:
        return self._busy(netloc, 1).p50_us

    def _busy(self, netloc: str, connections: int) -> Reading:
        wait_for_quiet(self._patience_s)
        return self._wrk.run(netloc, connections=connections, seconds=self._seconds)


def _print_table(capacities: Mapping[str, float], found: Latencies) -> None:
    print(f"one request at a time without a proxy: p50 {statistics.median(found.direct_us):.0f} µs\n")
    print(f"{'proxy':12}{'added p50 µs':>16}{'requests/s':>12}{'p99 µs at half':>18}")
    for name, capacity in capacities.items():
        added, tail = _figure(found.added_us[name]), _figure(found.tail_us[name])
        print(f"{name:12}{added:>16}{capacity:12,.0f}{tail:>18}")
    print()
    _print_verdict("added p50", found.added_us, ADDED_GOAL)
    _print_verdict("p99 at half load", found.tail_us, TAIL_GOAL)


def _figure(readings: Sequence[float]) -> str:
    return f"{statistics.median(readings):.0f} ± {half_range(readings):4.0f}"


def _print_verdict(title: str, readings: Mapping[str, Sequence[float]], goal: float) -> None:
    rival = better_envoy(readings)
    if rival and OURS in readings:
        ratio = paired_ratio(readings[OURS], readings[rival])
        print(f"{title}: {ratio:.2f} x Envoy's, goal {goal}: {'ok' if ratio <= goal else 'missed'}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0, help="per proxy, kind of load and round")
    parser.add_argument(
        "--patience", type=float, default=0.0, help="seconds to wait for a quiet moment before a reading"
    )
    parser.add_argument("--only", type=lambda text: text.split(","), default=list(PROXIES))
    return parser.parse_args()


if __name__ == "__main__":
    main()

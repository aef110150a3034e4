"""What the gateway adds to latency, beside Envoy and nginx: one request at a time, and at half of what each can do.

    python bench/gateway_latency.py [--rounds 5] [--seconds 4] [--only moorage,envoy-unix]

The processes, their cores and the requests are those of `bench/gateway.py`.

- Added p50: median latency of one connection kept busy by wrk, less that without a proxy.
- p99 at half load: requests fall due at random (Poisson) at half the rate that wrk got out of the same proxy with 32
  connections, and latency counts from when a request fell due.

On a virtual machine both are mostly the waking of idle cores: compare rows of one run only.
"""

from __future__ import annotations

import argparse
import collections
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from harness.lineup import OURS, PROXIES, Lineup, lineup
from harness.paced import kept_on, run_paced
from harness.wrk import Wrk

DIRECT: Final = "direct"
CAPACITY_CONNECTIONS: Final = 32
ADDED_GOAL: Final = 1.2

Medians = Mapping[str, float]


def main() -> None:
    """Start everything, measure capacity and then latencies in rounds, print the table."""
    options = _options()
    with tempfile.TemporaryDirectory() as name, lineup(Path(name), options.only) as line:
        bench = Bench(line, Wrk(Path(name), line.other_core), options.seconds)
        capacities = bench.capacities(options.rounds)
        p50s_us, p99s_us = bench.latencies(options.rounds, capacities)
        print(f"{line.placement()}; {options.rounds} rounds of {options.seconds} s\n")
    _print_table(capacities, p50s_us, p99s_us)


class Bench:
    """Running proxies, and the load to put on them."""

    def __init__(self, line: Lineup, wrk: Wrk, seconds: float) -> None:
        self._line = line
        self._wrk = wrk
        self._seconds = seconds

    def capacities(self, rounds: int) -> Medians:
        """Requests a second that each proxy does when it is kept busy."""
        rates = collections.defaultdict(list)
        for number in range(rounds):
            self._wrk.load(self._line.checked_requests())
            for name in self._line.in_turn(number):
                netloc = self._line.proxies[name].netloc
                rates[name].append(self._wrk.run(netloc, connections=CAPACITY_CONNECTIONS, seconds=self._seconds).rate)
        return _medians(rates)

    def latencies(self, rounds: int, capacities: Medians) -> tuple[Medians, Medians]:
        """p50 with one connection, the upstream itself included, and p99 at half of the capacity; microseconds."""
        p50s_us, p99s_us = collections.defaultdict(list), collections.defaultdict(list)
        netlocs = {name: served.netloc for name, served in self._line.proxies.items()}
        netlocs[DIRECT] = self._line.upstream.netloc
        for number in range(rounds):
            requests = self._line.checked_requests()
            self._wrk.load(requests)
            for name in [DIRECT, *self._line.in_turn(number)]:
                alone = self._wrk.run(netlocs[name], connections=1, seconds=self._seconds)
                p50s_us[name].append(alone.p50_us)
            for name in self._line.in_turn(number):
                with kept_on(self._line.other_core):
                    half = run_paced(netlocs[name], requests, rate=capacities[name] / 2, seconds=self._seconds)
                p99s_us[name].append(half.percentile_us(0.99))
        return _medians(p50s_us), _medians(p99s_us)


def _medians(readings: Mapping[str, Sequence[float]]) -> Medians:
    return {name: statistics.median(values) for name, values in readings.items()}


def _print_table(capacities: Medians, p50s_us: Medians, p99s_us: Medians) -> None:
    direct_us = p50s_us[DIRECT]
    print(f"{'proxy':12}{'p50 µs':>9}{'added µs':>10}{'requests/s':>12}{'p99 µs at half':>16}")
    print(f"{DIRECT:12}{direct_us:9.0f}")
    for name, p99_us in p99s_us.items():
        added_us = p50s_us[name] - direct_us
        print(f"{name:12}{p50s_us[name]:9.0f}{added_us:10.0f}{capacities[name]:12,.0f}{p99_us:16.0f}")
    envoys = [name for name in p99s_us if name.startswith("envoy")]
    if OURS not in p99s_us or not envoys:
        return
    added = (p50s_us[OURS] - direct_us) / (min(p50s_us[name] for name in envoys) - direct_us)
    tail = p99s_us[OURS] / min(p99s_us[name] for name in envoys)
    print(f"\nadded p50 {added:.2f} x Envoy's, goal {ADDED_GOAL}: {'ok' if added <= ADDED_GOAL else 'missed'}")
    print(f"p99 at half load {tail:.2f} x Envoy's, goal 1.0: {'ok' if tail <= 1 else 'missed'}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0, help="per proxy, kind of load and round")
    parser.add_argument("--only", type=lambda text: text.split(","), default=list(PROXIES))
    return parser.parse_args()


if __name__ == "__main__":
    main()

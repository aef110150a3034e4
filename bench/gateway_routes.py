"""What the size of the route table costs a request, in memory, and when the table changes.

    python bench/gateway_routes.py [--rounds 5] [--seconds 4] [--endpoints 10000] [--instances 200]

The gateway, its core and the requests are those of `bench/gateway.py`. Gateways with tables of different sizes run at
the same time and are loaded in turn; all instances of all endpoints are names of one socket, so the upstream is the
same for all.

- CPU per request with 32 connections: with one endpoint, with ten thousand of which one or a thousand are asked, and
  with one that has two hundred instances.
- Route changes: an endpoint among ten thousand changes once a second under a Poisson load. It is applied when the
  gateway says so; the clock starts before the snapshot is written. What the same writes cost everybody on the machine
  shows in the row in which the gateway is not told of them.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import contextlib
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

from harness.figures import half_range, paired_ratio
from harness.gateway import ENDPOINT, GatewayFolder, gateway, make_route, routes_folder, snapshot_writer
from harness.invocations import signed_invocations
from harness.machine import cores, cpu_s, require, rss_bytes
from harness.paced import PacedReading, kept_on, run_paced
from harness.processes import ANSWER, Served, ask, upstream
from harness.wrk import Wrk
from moorage.control.gateways import GatewayClient
from moorage.core.route_shards import ShardedRoutes

SMALL: Final = "one endpoint"
MANY: Final = "many endpoints"
WIDE: Final = "many instances"
REQUESTS: Final = 1000
CONNECTIONS: Final = 32
WARM_UP_S: Final = 2.0
RATE: Final = 1000.0
CHANGE_EVERY_S: Final = 1.0
GROWTH_MAX: Final = 1.05
"""What counts as no growth: readings of one and the same gateway differ as much."""
APPLIED_GOAL_MS: Final = 100.0


@dataclass(frozen=True, slots=True)
class Sized:
    """A running gateway with a table of some size."""

    made: GatewayFolder
    served: Served


def main() -> None:
    """Start gateways with small and large tables, measure, print."""
    options = _options()
    require("wrk", "nginx", "taskset")
    core, other_core = cores()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with _gateways(folder, core, other_core, options) as gateways:
            fresh = {size: rss_bytes(found.served.pid) for size, found in gateways.items()}
            costs_us = _measure(gateways, Wrk(folder, other_core), options)
            _print_costs(costs_us)
            _print_memory(gateways, fresh, options.endpoints)
            _print_changes(gateways[MANY], other_core, options.seconds * options.rounds)


@contextlib.contextmanager
def _gateways(folder: Path, core: int, other_core: int, options: argparse.Namespace) -> Iterator[Mapping[str, Sized]]:
    (folder / "upstream").mkdir()
    with contextlib.ExitStack() as stack:
        socket = stack.enter_context(upstream(folder / "upstream", other_core)).path
        tables = {
            SMALL: {ENDPOINT: [socket]},
            MANY: {name: [socket] for name in _names(options.endpoints)},
            WIDE: {ENDPOINT: _aliases(socket, options.instances)},
        }
        made = {size: routes_folder(folder / size.split()[-1], table) for size, table in tables.items()}
        yield {size: Sized(found, stack.enter_context(gateway(found, core))) for size, found in made.items()}


def _names(count: int) -> list[str]:
    return [ENDPOINT, *(f"{ENDPOINT}-{number}" for number in range(1, count))]


def _aliases(socket: Path, count: int) -> list[Path]:
    """So many names for one Unix socket."""
    paths = [socket.with_name(f"alias-{number}") for number in range(count)]
    for path in paths:
        path.symlink_to(socket)
    return paths


def _measure(gateways: Mapping[str, Sized], wrk: Wrk, options: argparse.Namespace) -> Mapping[str, Sequence[float]]:
    one, thousand = [ENDPOINT] * REQUESTS, _names(min(REQUESTS, options.endpoints))
    cells = [
        ("1 endpoint, 1 instance", SMALL, one),
        (f"{options.endpoints:,} endpoints, 1 asked", MANY, one),
        (f"{options.endpoints:,} endpoints, {len(thousand):,} asked", MANY, thousand),
        (f"1 endpoint, {options.instances} instances", WIDE, one),
    ]
    costs_us = collections.defaultdict(list)
    for _, size, names in cells:
        _load(gateways[size], wrk, names, WARM_UP_S)
    for number in range(options.rounds):
        for title, size, names in cells[:: -1 if number % 2 else 1]:
            costs_us[title].append(_load(gateways[size], wrk, names, options.seconds))
    return {title: costs_us[title] for title, _, _ in cells}


def _load(found: Sized, wrk: Wrk, names: Sequence[str], seconds: float) -> float:
    """CPU microseconds a request."""
    requests = signed_invocations(found.made.caller, found.served.netloc, names)
    if (heard := ask(found.served.netloc, requests[-1])) != (200, ANSWER):
        raise SystemExit(f"the gateway answers {heard}")
    wrk.load(requests)
    before_s = cpu_s(found.served.pid)
    reading = wrk.run(found.served.netloc, connections=CONNECTIONS, seconds=seconds)
    if reading.failures:
        raise SystemExit(f"{reading.failures} of {reading.requests} requests failed")
    return (cpu_s(found.served.pid) - before_s) / reading.requests * 1e6


def _print_costs(costs_us: Mapping[str, Sequence[float]]) -> None:
    base_us = next(iter(costs_us.values()))
    for title, readings in costs_us.items():
        growth = paired_ratio(readings, base_us)
        verdict = "ok" if growth <= GROWTH_MAX else "grows"
        figure = f"{statistics.median(readings):7.1f} ± {half_range(readings):4.1f}"
        print(f"{title:34}{figure} µs CPU a request, x {growth:.2f}: {verdict}")


def _print_memory(gateways: Mapping[str, Sized], fresh: Mapping[str, int], endpoints: int) -> None:
    used = {size: rss_bytes(found.served.pid) for size, found in gateways.items()}
    print()
    for when, taken in (("at start", fresh), ("after the load", used)):
        each_kib = (taken[MANY] - taken[SMALL]) / endpoints / 1024
        print(f"memory {when}: {taken[SMALL] / 2**20:.1f} MiB, ", end="")
        print(f"with {endpoints:,} endpoints {taken[MANY] / 2**20:.1f} MiB, {each_kib:.2f} KiB an endpoint")


def _print_changes(many: Sized, other_core: int, seconds: float) -> None:
    requests = signed_invocations(many.made.caller, many.served.netloc, _names(REQUESTS))
    socket = many.made.settings.gateway_socket(0, many.served.pid)
    readings: dict[str, PacedReading] = {}
    with kept_on(other_core):
        readings["no change"] = run_paced(many.served.netloc, requests, rate=RATE, seconds=seconds)
        for title, told in (("the gateway not told", None), ("a change a second", socket)):
            with _changing(many, told) as changes:
                readings[title] = run_paced(many.served.netloc, requests, rate=RATE, seconds=seconds)
                changes.send("enough")
                applied_ms = changes.recv()
    worst_ms = max(applied_ms)
    print(f"\n{len(applied_ms)} route changes applied, p50 {statistics.median(applied_ms):.1f} ms, ", end="")
    print(f"max {worst_ms:.1f} ms, goal {APPLIED_GOAL_MS:.0f}: {'ok' if worst_ms <= APPLIED_GOAL_MS else 'missed'}")
    for title, reading in readings.items():
        print(f"{title:21}at {RATE:.0f} requests a second: {_latencies(reading)}")


def _latencies(reading: PacedReading) -> str:
    shares = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999, "max": 1.0}
    return ", ".join(f"{name} {reading.percentile_us(share) / 1e3:.2f} ms" for name, share in shares.items())


@contextlib.contextmanager
def _changing(many: Sized, told: Path | None) -> Iterator[Connection]:
    """A process that changes a route once a second; when it is enough, it sends how long each took.

    Changes are for the gateway whose socket is `told`, if any.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_change_routes, args=(many, told, theirs), daemon=True)
    process.start()
    try:
        ours.recv()
        yield ours
    finally:
        process.terminate()
        process.join()


def _change_routes(many: Sized, told: Path | None, bench: Connection) -> None:
    asyncio.run(_change_routes_until_enough(many, told, bench))


async def _change_routes_until_enough(many: Sized, told: Path | None, bench: Connection) -> None:
    settings, table = many.made.settings, many.made.table
    routes = ShardedRoutes.of(table.endpoints[settings.region])
    writer, client = snapshot_writer(settings), GatewayClient()
    applied_ms: list[float] = []
    instances = [Path(table.endpoints[settings.region][ENDPOINT].variants[0].instances[0].address)]
    instances += [instances[0].with_name("alias-0")]
    # The first change encodes the whole table, as only the first after a start of control does.
    while not bench.poll(CHANGE_EVERY_S if applied_ms else 0):
        version = table.version + len(applied_ms) + 1
        name = f"{ENDPOINT}-{version}"
        routes = routes.replaced({name: make_route(settings, name, instances)})
        begun = time.perf_counter()
        writer.write(replace(table, version=version, endpoints={settings.region: routes}))
        if told and (answer := await client.ask(told, b"/reload", {}, timeout_s=10.0)) != {"version": version}:
            raise SystemExit(f"the gateway has {answer}, not version {version}")
        applied_ms.append((time.perf_counter() - begun) * 1e3)
        if len(applied_ms) == 1:
            bench.send("started")
    bench.send(applied_ms[1:])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0, help="per table and round")
    parser.add_argument("--endpoints", type=int, default=10_000)
    parser.add_argument("--instances", type=int, default=200)
    return parser.parse_args()


if __name__ == "__main__":
    main()

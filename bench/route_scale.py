"""What the size of the route table costs: CPU a request, memory, and the time and pause of a change.

    python bench/route_scale.py [--rounds 3] [--seconds 3] [--endpoints 10000] [--instances 200]

- CPU: gateways with small and large tables on one core, loaded by wrk one at a time and in turn, as in
  `bench/gateway.py`. "asked: 1,000" sends every request to another one of a thousand endpoints.
- A change: what control does for one, in a process of its own: encode, sign and sync the snapshot, tell the gateway,
  hear that it uses it. One endpoint of the table changes each time.
- Its pause: latency at a given rate (open loop, Poisson) with and without changes, spells in turn.
- Memory: resident size of a gateway, over one with a table of one endpoint.
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

from harness.gateway import GatewayFolder, gateway, gateway_folder
from harness.machine import cores, cpu_s, require, rss_bytes
from harness.paced import PacedReading, kept_on, run_paced
from harness.processes import ANSWER, Served, ask, upstream
from harness.wrk import Wrk
from moorage.app import credentials
from moorage.app.settings import Settings
from moorage.control.gateways import Gateways
from moorage.core.model import InstanceId
from moorage.core.route_shards import ShardedRoutes
from moorage.core.routes import EndpointRoute, InstanceRoute, VariantRoute
from moorage.system.snapshot import SnapshotReader, SnapshotWriter
from moorage.testing.load import Target, signed_request

CONNECTIONS: Final = 32
REQUESTS: Final = 1000
ASKED: Final = 1000
WARM_UP_S: Final = 2.0
CHANGE_EVERY_S: Final = 0.25
APPLIED_GOAL_MS: Final = 100.0


@dataclass(frozen=True, slots=True)
class Case:
    """A gateway with a table of some size, and to how many of its endpoints requests go."""

    endpoints: int
    instances: int = 1
    asked: int = 1

    def __str__(self) -> str:
        return f"{self.endpoints:,} endpoints of {self.instances} instances, asked: {self.asked:,}"


def main() -> None:
    """Start a gateway for every case, measure them, print the figures."""
    options = _options()
    require("wrk", "nginx", "taskset")
    many = Case(options.endpoints)
    cases = [Case(1), Case(100), many, replace(many, asked=ASKED), Case(1, instances=options.instances)]
    with tempfile.TemporaryDirectory() as name, _running(Path(name), cases) as gateways:
        bench = Bench(gateways, Wrk(Path(name), cores()[1]))
        bench.report_memory()
        bench.report_cpu(rounds=options.rounds, seconds=options.seconds)
        bench.report_memory()
        bench.report_changes(replace(many, asked=ASKED), rate=options.rate, seconds=options.seconds * options.rounds)


class Bench:
    """Running gateways, and what is measured of them."""

    def __init__(self, gateways: Mapping[Case, tuple[GatewayFolder, Served]], wrk: Wrk) -> None:
        self._gateways = gateways
        self._wrk = wrk

    def report_cpu(self, *, rounds: int, seconds: float) -> None:
        """CPU a request of every case, and how many times that of the first it is."""
        costs_us: dict[Case, list[float]] = collections.defaultdict(list)
        for case in self._gateways:
            self._load(case, seconds=WARM_UP_S)
        for number in range(rounds):
            for case in list(self._gateways)[:: -1 if number % 2 else 1]:
                costs_us[case].append(self._load(case, seconds=seconds))
        first_us = statistics.median(costs_us[next(iter(self._gateways))])
        for case, readings in costs_us.items():
            cost_us, spread_us = statistics.median(readings), (max(readings) - min(readings)) / 2
            print(f"{case!s:55}{cost_us:8.1f} ± {spread_us:4.1f} µs CPU a request{cost_us / first_us:7.2f} x the first")

    def report_memory(self) -> None:
        """Resident size of every gateway."""
        for case, (_, served) in self._gateways.items():
            print(f"{case!s:55}{rss_bytes(served.pid) / 2**20:8.1f} MiB resident")

    def report_changes(self, case: Case, *, rate: float, seconds: float) -> None:
        """How long a change takes, and latency with and without changes."""
        settings = self._gateways[case][0].settings
        spells: dict[str, list[float]] = {"without changes": [], "with changes": []}
        applied_ms: list[float] = []
        for _ in range(2):
            spells["without changes"] += self._latencies(case, rate, seconds).latencies_s
            with _changes(settings, case, applied_ms):
                spells["with changes"] += self._latencies(case, rate, seconds).latencies_s
        applied_ms.sort()
        verdict = "ok" if applied_ms[-1] <= APPLIED_GOAL_MS else "missed"
        print(
            f"a change among {case.endpoints:,} endpoints is in force after {statistics.median(applied_ms):.1f} ms,"
            f" at most {applied_ms[-1]:.1f} ms ({len(applied_ms)} changes); goal {APPLIED_GOAL_MS:.0f} ms: {verdict}"
        )
        for name, latencies_s in spells.items():
            reading = PacedReading(sorted(latencies_s))
            shares = (f"{share:.1%} {reading.percentile_us(share) / 1e3:.2f}" for share in (0.5, 0.99, 0.999, 1.0))
            print(f"latency at {rate:.0f}/s {name:16} ms: {', '.join(shares)}")

    def _load(self, case: Case, *, seconds: float) -> float:
        """CPU in microseconds that a request took of the gateway."""
        _, served = self._gateways[case]
        self._wrk.load(self._requests(case))
        before_s = cpu_s(served.pid)
        reading = self._wrk.run(served.netloc, connections=CONNECTIONS, seconds=seconds)
        if reading.failures:
            raise SystemExit(f"{case}: {reading.failures} of {reading.requests} requests failed")
        return (cpu_s(served.pid) - before_s) / reading.requests * 1e6

    def _latencies(self, case: Case, rate: float, seconds: float) -> PacedReading:
        with kept_on(cores()[1]):
            return run_paced(self._gateways[case][1].netloc, self._requests(case), rate=rate, seconds=seconds)

    def _requests(self, case: Case) -> list[bytes]:
        """Different requests, signed now, of which the first has come back right."""
        folder, served = self._gateways[case]
        caller = folder.caller
        requests = [
            signed_request(
                Target(
                    f"http://{served.netloc}",
                    _name(number % case.asked),
                    caller.access_key_id,
                    caller.secret_access_key,
                    region=caller.region,
                    body=b'{"instances": [[%.3f, 3.5, 1.4, 0.2]]}' % (number / 1000),
                )
            )
            for number in range(REQUESTS)
        ]
        if (heard := ask(served.netloc, requests[0])) != (200, ANSWER):
            raise SystemExit(f"{case}: a gateway answers {heard}")
        return requests


@contextlib.contextmanager
def _running(folder: Path, cases: Sequence[Case]) -> Iterator[Mapping[Case, tuple[GatewayFolder, Served]]]:
    core, other_core = cores()
    with contextlib.ExitStack() as stack:
        (folder / "upstream").mkdir()
        instance = stack.enter_context(upstream(folder / "upstream", other_core))
        running = {}
        for number, case in enumerate(cases):
            (folder / str(number)).mkdir()
            made = gateway_folder(folder / str(number), instance.path)
            Routes(made.settings, case).write()
            running[case] = (made, stack.enter_context(gateway(made, core)))
        yield running


class Routes:
    """The route table of a folder, written again and again as control does it."""

    def __init__(self, settings: Settings, case: Case) -> None:
        key = credentials.ensure_secrets(settings).snapshot_key
        self._settings = settings
        self._writer = SnapshotWriter(settings.snapshot_path, key=key)
        self._table = SnapshotReader(settings.snapshot_path, key=key).read()
        (made,) = self._table.endpoints[settings.region].values()
        self._address = made.variants[0].instances[0].address
        routes = {_name(number): self._route(number, case.instances) for number in range(case.endpoints)}
        self._routes = ShardedRoutes.of(routes)

    def write(self) -> int:
        """Write the next version and answer its number."""
        self._table = replace(
            self._table, version=self._table.version + 1, endpoints={self._settings.region: self._routes}
        )
        self._writer.write(self._table)
        return self._table.version

    def change(self, number: int, *, instances: int) -> None:
        """Give one endpoint that many instances."""
        self._routes = self._routes.replaced({_name(number): self._route(number, instances)})

    def _route(self, number: int, instances: int) -> EndpointRoute:
        ids = (InstanceId(f"i-{number:08x}{ordinal:09x}") for ordinal in range(instances))
        variant = VariantRoute("AllTraffic", 1.0, tuple(InstanceRoute(id_, self._address) for id_ in ids))
        arn = f"arn:aws:sagemaker:{self._settings.region}:{self._settings.account_id}:endpoint/{_name(number)}"
        return EndpointRoute(arn, _name(number), (variant,))


@contextlib.contextmanager
def _changes(settings: Settings, case: Case, applied_ms: list[float]) -> Iterator[None]:
    """Changes from another process for as long as the context lasts; how long each took goes to `applied_ms`."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_change_until_told, args=(settings, case, there))
    process.start()
    here.recv()
    yield
    here.send(None)
    applied_ms += here.recv()
    process.join()


def _change_until_told(settings: Settings, case: Case, pipe: Connection) -> None:
    with kept_on(cores()[1]):
        asyncio.run(_change(Routes(settings, case), Gateways(settings.run_dir), pipe))


async def _change(routes: Routes, gateways: Gateways, pipe: Connection) -> None:
    applied_ms = []
    await gateways.reload(routes.write())
    pipe.send(None)
    number = 0
    while not pipe.poll(CHANGE_EVERY_S):
        number += 1
        begun = time.perf_counter()
        routes.change(number % ASKED, instances=1 + number % 2)
        await gateways.reload(await asyncio.to_thread(routes.write))
        applied_ms.append((time.perf_counter() - begun) * 1e3)
    gateways.close()
    pipe.send(applied_ms)


def _name(number: int) -> str:
    return f"forest-{number:05}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0, help="per case and round")
    parser.add_argument("--endpoints", type=int, default=10_000)
    parser.add_argument("--instances", type=int, default=200)
    parser.add_argument("--rate", type=float, default=1000.0, help="requests a second while routes change")
    return parser.parse_args()


if __name__ == "__main__":
    main()

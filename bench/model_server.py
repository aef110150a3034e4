"""What an instance's model server answers, asked directly: compiled trees, and batching beside none.

    python bench/model_server.py [--rounds 5] [--seconds 2] [--only forest] [--workers 1]

Each model is served by one process with a core to itself; wrk has another, and asks with 512 requests in turn that all
differ. Every round goes through all ways to serve a model; of the rounds only that half counts in which other processes
took least, and the table has their medians. CPU is the scheduler's count for the server over the requests completed.
The same server's `/ping`, which no model has a part in, says what of the latency at c = 1 is the way there and back.

With `--workers 2` the server has both cores and so shares one with wrk.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from harness.figures import quietest
from harness.instance import instance
from harness.machine import cores, cpu_s, others_s, require
from harness.models import MODELS, Served
from harness.processes import Served as Server
from harness.wrk import Reading, Wrk

CONNECTIONS: Final = (1, 32)
PING: Final = "ping"
PING_REQUEST: Final = b"GET /ping HTTP/1.1\r\nHost: instance\r\n\r\n"
WARM_UP_S: Final = 1.0
FOREST_RATE: Final = 20_000
FOREST_P50_MS: Final = 0.15
BATCHING_GAIN: Final = 3.0
BATCHING_COST: Final = 1.05


@dataclass(frozen=True, slots=True)
class Cell:
    """One way to serve a model at one concurrency, once."""

    reading: Reading
    cpu_us: float
    """Per request."""
    others_s: float


Cells = Mapping[tuple[str, int], Sequence[Cell]]


def main() -> None:
    """Serve each model in each of its ways, measure in rounds, print the table."""
    options = _options()
    require("wrk", "taskset")
    core, other = cores()
    on = (core,) if options.workers == 1 else (core, other)
    print(f"{'':24}{'':12}{'c':>4}{'requests/s':>12}{'p50 ms':>9}{'p99 ms':>9}{'CPU µs/request':>16}")
    for model in MODELS:
        if options.only in model.name:
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                (folder / "ping").mkdir()
                ping = Wrk(folder / "ping", other)
                ping.load([PING_REQUEST])
                _print_rows(model, _measure(model, folder, Wrk(folder, other), ping, on, options))


def _measure(model: Served, folder: Path, wrk: Wrk, ping: Wrk, on: Sequence[int], options: argparse.Namespace) -> Cells:
    made = folder / "model"
    made.mkdir()
    wrk.load(model.requests(model.make(made)))
    cells: dict[tuple[str, int], list[Cell]] = defaultdict(list)
    with contextlib.ExitStack() as stack:
        workers = {"SAGEMAKER_MODEL_SERVER_WORKERS": str(options.workers)}
        servers = {
            way: stack.enter_context(instance(made, model.framework, workers | environment, *on))
            for way, environment in model.environments.items()
        }
        for server in servers.values():
            wrk.run(server.netloc, connections=max(CONNECTIONS), seconds=WARM_UP_S)
        for _ in range(options.rounds):
            cells[PING, 1].append(_cell(ping, servers[next(iter(servers))], 1, options.seconds))
            for count in CONNECTIONS:
                for way, server in servers.items():
                    cells[way, count].append(_cell(wrk, server, count, options.seconds))
    return cells


def _cell(wrk: Wrk, server: Server, connections: int, seconds: float) -> Cell:
    used_s, others_before_s = cpu_s(server.pid), others_s()
    reading = wrk.run(server.netloc, connections=connections, seconds=seconds)
    if reading.failures:
        raise SystemExit(f"{reading.failures} of {reading.requests} requests failed")
    return Cell(reading, (cpu_s(server.pid) - used_s) / reading.requests * 1e6, others_s() - others_before_s)


def _print_rows(model: Served, cells: Cells) -> None:
    figures = {key: _figures(readings) for key, readings in cells.items()}
    for (way, count), (rate, p50_ms, p99_ms, cpu_us) in figures.items():
        print(f"{model.name:24}{way:12}{count:4}{rate:12,.0f}{p50_ms:9.3f}{p99_ms:9.3f}{cpu_us:16.1f}")
    if ("compiled", 32) in figures and model.name == "iris forest":
        rate, p50_ms = figures["compiled", 32][0], figures["compiled", 1][1]
        _print_goal(f"at least {FOREST_RATE:,} requests/s at c = 32", rate >= FOREST_RATE)
        _print_goal(f"p50 at c = 1 at most {FOREST_P50_MS} ms", p50_ms <= FOREST_P50_MS)
    if ("batched", 32) in figures:
        gain = figures["batched", 32][0] / figures["one by one", 32][0]
        cost = figures["batched", 1][1] / figures["one by one", 1][1]
        _print_goal(f"batched at least {BATCHING_GAIN} x one by one at c = 32: {gain:.1f} x", gain >= BATCHING_GAIN)
        _print_goal(f"p50 at c = 1 at most {BATCHING_COST} x: {cost:.2f} x", cost <= BATCHING_COST)


def _figures(cells: Sequence[Cell]) -> tuple[float, float, float, float]:
    """Rate, p50 and p99 in milliseconds, CPU microseconds a request: medians of the quiet half."""
    kept = [cells[number] for number in quietest([cell.others_s for cell in cells])]
    return (
        statistics.median(cell.reading.rate for cell in kept),
        statistics.median(cell.reading.p50_us for cell in kept) / 1e3,
        statistics.median(cell.reading.p99_us for cell in kept) / 1e3,
        statistics.median(cell.cpu_us for cell in kept),
    )


def _print_goal(text: str, is_met: bool) -> None:
    print(f"     goal: {text}: {'ok' if is_met else 'missed'}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="per way, concurrency and round")
    parser.add_argument("--only", default="", help="part of a model's name")
    parser.add_argument("--workers", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    main()

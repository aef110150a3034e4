"""Three times what a model can do, at once: how much of its work is still done, and how soon the rest is refused.

    python bench/overload.py [--times 3] [--service-ms 20] [--seconds 10] [--rounds 3]

A model that takes `--service-ms` for each request and does one at a time is asked open loop, through the gateway, with
signed requests at `--times` the rate that it can answer. Goodput is the answers beside those that it could have given
in the time; a refusal's latency counts from when the request fell due. Both ways to serve it are measured: with two
requests at the instance at once, and with as many as there are by default.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from moorage.testing.deployment import Deployer
from moorage.testing.load import Report, run_for
from moorage.testing.models import script_archive
from moorage.testing.server import RunningMoorage

GOODPUT: Final = 0.8
REFUSED_WITHIN_MS: Final = 50.0
WAYS: Final[Mapping[str, Mapping[str, str]]] = {"two at once": {"MOORAGE_CONCURRENCY": "2"}, "by default": {}}
MODEL: Final = """
import time
def model_fn(folder):
    return "done"
def transform_fn(model, data, content_type, accept):
    time.sleep({seconds})
    return model, "text/plain"
"""


@dataclass(frozen=True, slots=True)
class Reading:
    """One load."""

    goodput: float
    refused: int
    refused_p50_ms: float
    refused_soon: float
    """The share of the refused that were told within `REFUSED_WITHIN_MS`; the others had waited for their turn."""
    answered_p99_ms: float


def main() -> None:
    """Start a Moorage, deploy, overload in rounds, print."""
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        server = RunningMoorage(Path(folder) / "data")
        server.start()
        try:
            _measure(server, options)
        finally:
            server.stop()


def _measure(server: RunningMoorage, options: argparse.Namespace) -> None:
    deployer = Deployer(server)
    model = script_archive(MODEL.format(seconds=options.service_ms / 1e3))
    print(f"{'':14}{'goodput':>9}{'refused':>9}{'p50 ms':>9}{'soon':>9}{'answered p99 ms':>17}")
    for way, environment in WAYS.items():
        name = way.replace(" ", "-")
        one_worker = {"SAGEMAKER_MODEL_SERVER_WORKERS": "1"}  # so that the capacity is known
        assert deployer.deploy(name, model, Environment={**one_worker, **environment}) == "InService"
        readings = [_overload(server, name, options) for _ in range(options.rounds)]
        _print(way, readings)
        deployer.delete(name)


def _overload(server: RunningMoorage, endpoint: str, options: argparse.Namespace) -> Reading:
    capacity = 1e3 / options.service_ms
    report = asyncio.run(run_for(server.target(endpoint), rate=options.times * capacity, seconds=options.seconds))
    return _read(report, capacity)


def _read(report: Report, capacity: float) -> Reading:
    unexpected = set(report.statuses()) - {200, 503}
    if unexpected:
        raise SystemExit(f"answered with {unexpected}")
    took_s = max(sample.finished for sample in report.samples)
    refused = sorted(sample.latency * 1e3 for sample in report.samples if sample.status == 503)
    answered = sorted(sample.latency * 1e3 for sample in report.samples if sample.status == 200)
    if not refused:
        raise SystemExit("nothing was refused: that was no overload")
    return Reading(
        goodput=len(answered) / (took_s * capacity),
        refused=len(refused),
        refused_p50_ms=_percentile(refused, 0.5),
        refused_soon=sum(latency_ms <= REFUSED_WITHIN_MS for latency_ms in refused) / len(refused),
        answered_p99_ms=_percentile(answered, 0.99),
    )


def _print(way: str, readings: list[Reading]) -> None:
    for each in readings:
        print(
            f"{way:14}{each.goodput:9.2f}{each.refused:9}{each.refused_p50_ms:9.1f}{each.refused_soon:9.1%}"
            f"{each.answered_p99_ms:17.1f}"
        )
    goodput = statistics.median(each.goodput for each in readings)
    refused_ms = statistics.median(each.refused_p50_ms for each in readings)
    _print_goal(f"goodput at least {GOODPUT}: {goodput:.2f}", goodput >= GOODPUT)
    _print_goal(f"refused within {REFUSED_WITHIN_MS:.0f} ms (p50): {refused_ms:.1f}", refused_ms <= REFUSED_WITHIN_MS)


def _percentile(values: list[float], share: float) -> float:
    return values[min(len(values) - 1, int(share * len(values)))]


def _print_goal(text: str, is_met: bool) -> None:
    print(f"     goal: {text}: {'ok' if is_met else 'missed'}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=float, default=3.0)
    parser.add_argument("--service-ms", type=float, default=20.0)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rounds", type=int, default=3)
    options: argparse.Namespace = parser.parse_args()
    return options


if __name__ == "__main__":
    main()

"""What callers notice of a minute without control: signed invocations before, during and after, every one counted.

    python bench/gateway_outage.py [--rate 300] [--outage 60]

A whole Moorage with one endpoint. Control is stopped with SIGSTOP: its sockets still take connections and never answer,
which is worse for a gateway that asks it anything than a control that is gone. The load is open loop, so a pause shows
in the latency of all who came in it.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import tempfile
import time
from pathlib import Path
from typing import Final

from moorage.testing.deployment import Deployer
from moorage.testing.load import Report, run_for
from moorage.testing.models import echo_archive
from moorage.testing.server import RunningMoorage

ENDPOINT: Final = "forest"
AROUND_S: Final = 5.0


def main() -> None:
    """Deploy, load, stop control for a while, print what became of the requests."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=300.0, help="requests a second")
    parser.add_argument("--outage", type=float, default=60.0, help="seconds")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = RunningMoorage(Path(folder) / "data")
        server.start()
        try:
            report = _load_through_outage(server, rate=options.rate, outage_s=options.outage)
        finally:
            server.stop()
    _print_report(report, outage_s=options.outage)


def _load_through_outage(server: RunningMoorage, *, rate: float, outage_s: float) -> Report:
    if (status := Deployer(server).deploy(ENDPOINT, echo_archive("here"))) != "InService":
        raise SystemExit(f"the endpoint is {status}")
    return asyncio.run(
        run_for(
            server.target(ENDPOINT), rate=rate, seconds=0.0, meanwhile=lambda: _stop_control(server, outage_s=outage_s)
        )
    )


def _stop_control(server: RunningMoorage, *, outage_s: float) -> None:
    time.sleep(AROUND_S)
    (control,) = server.pids("control")
    os.kill(control, signal.SIGSTOP)
    try:
        time.sleep(outage_s)
    finally:
        os.kill(control, signal.SIGCONT)
    time.sleep(AROUND_S)


def _print_report(report: Report, *, outage_s: float) -> None:
    outside, inside = Report(), Report()
    for sample in report.samples:
        (inside if AROUND_S <= sample.due < AROUND_S + outage_s else outside).samples.append(sample)
    for title, part in (("control running", outside), (f"control stopped for {outage_s:.0f} s", inside)):
        print(f"{title:28}{len(part.samples):8,} requests, {len(part.failures)} failed, ", end="")
        print(f"p50 {part.percentile(0.5) * 1e3:.2f} ms, p99 {part.percentile(0.99) * 1e3:.2f} ms")
    for sample in report.failures[:10]:
        print(f"  after {sample.due:.2f} s: {sample.status} {sample.error or sample.body!r}")
    print(f"goal: nothing lost: {'missed' if report.failures else 'ok'}")


if __name__ == "__main__":
    main()

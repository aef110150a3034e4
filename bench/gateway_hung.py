"""What the callers of one endpoint notice of another that hangs.

    python bench/gateway_hung.py [--rate 300] [--hung-rate 30] [--seconds 4] [--rounds 8]

A whole Moorage with two endpoints of one instance each. In every round one of them gets its load alone, and then while
the other's instance is stopped with SIGSTOP and called as well, so that requests pile up on it. Both loads are open
loop. Compared are the two halves of each round, since the machine does not stay the same from one to the next.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import statistics
import tempfile
from pathlib import Path
from typing import Final

from moorage.testing.deployment import Deployer
from moorage.testing.load import Load, Report
from moorage.testing.models import echo_archive
from moorage.testing.server import RunningMoorage

GOAL: Final = 1.2
SETTLED_S: Final = 1.0


def main() -> None:
    """Deploy both, measure in rounds, print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=300.0, help="requests a second to the endpoint that is watched")
    parser.add_argument("--hung-rate", type=float, default=30.0, help="requests a second to the one that hangs")
    parser.add_argument("--seconds", type=float, default=4.0, help="per half of a round")
    parser.add_argument("--rounds", type=int, default=8)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = RunningMoorage(Path(folder) / "data")
        server.start()
        try:
            victim = _deploy(server)
            rounds = [asyncio.run(_round(server, victim, options)) for _ in range(options.rounds)]
        finally:
            server.stop()
    _print(rounds)


def _deploy(server: RunningMoorage) -> int:
    """Both endpoints; the pid of the instance that is to hang."""
    deployer = Deployer(server)
    deployer.deploy("hung", echo_archive("hung"))
    (victim,) = server.pids("instance")
    deployer.deploy("watched", echo_archive("watched"))
    return victim


async def _round(server: RunningMoorage, victim: int, options: argparse.Namespace) -> tuple[Report, Report]:
    alone = await _watched(server, options)
    os.kill(victim, signal.SIGSTOP)
    hung = Load(server.target("hung"), rate=options.hung_rate, timeout_s=options.seconds)
    try:
        await asyncio.sleep(SETTLED_S)
        beside = await _watched(server, options)
    finally:
        os.kill(victim, signal.SIGCONT)
        await hung.stop()
    return alone, beside


async def _watched(server: RunningMoorage, options: argparse.Namespace) -> Report:
    load = Load(server.target("watched"), rate=options.rate)
    await asyncio.sleep(options.seconds)
    return await load.stop()


def _print(rounds: list[tuple[Report, Report]]) -> None:
    for share in (0.5, 0.99):
        alone_ms, beside_ms = (
            [half.percentile(share) * 1e3 for half in halves] for halves in zip(*rounds, strict=True)
        )
        ratio = statistics.median(b / a for a, b in zip(alone_ms, beside_ms, strict=True))
        verdict = "" if share == 0.5 else f", goal {GOAL}: {'ok' if ratio <= GOAL else 'missed'}"
        print(
            f"p{share * 100:.0f} alone {statistics.median(alone_ms):6.2f} ms, beside a hung endpoint "
            f"{statistics.median(beside_ms):6.2f} ms, x {ratio:.2f}{verdict}"
        )
    failed = sum(len(half.failures) for halves in rounds for half in halves)
    print(f"{failed} requests to the watched endpoint failed")


if __name__ == "__main__":
    main()

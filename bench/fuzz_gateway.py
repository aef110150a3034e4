"""A hundred thousand spoilt requests against a gateway, and some spoilt answers, with whatever is wrong with it.

    python bench/fuzz_gateway.py [--count 100000] [--answers 20000] [--seed SEED] [--first 0]

Gateway, instance, control and callers share one process and one loop, so the same seed and number give the same case.
Ends with status 1 if there was anything to complain about.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import logging
import resource
import tempfile
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import uvloop

from moorage.testing.fuzz.answers import campaign_of_answers, spoiling_gateway
from moorage.testing.fuzz.campaign import campaign, fuzzed_gateway

SHOWN = 10


def main() -> None:
    """Run both campaigns and print what they came to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100_000, help="connections with spoilt requests")
    parser.add_argument("--answers", type=int, default=20_000, help="invocations with spoilt answers")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 2**32)
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    options = parser.parse_args()
    logging.basicConfig(level=logging.ERROR)
    numbers = {"requests": options.count, "answers": options.answers}
    complaints = [
        complaint
        for what, count in numbers.items()
        if count
        for complaint in _run(what, options.seed, range(options.first, options.first + count))
    ]
    raise SystemExit(1 if complaints else 0)


def _run(what: str, seed: int, numbers: range) -> list[str]:
    began = time.monotonic()
    run: Coroutine[Any, Any, tuple[collections.Counter[str], list[str]]]
    run = _requests(seed, numbers) if what == "requests" else _answers(seed, numbers)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        classes, complaints = runner.run(run)
    print(f"{len(numbers)} {what} of seed {seed} in {time.monotonic() - began:.0f} s, {len(complaints)} complaints")
    print(f"  {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB at most")
    for name, count in classes.most_common():
        print(f"  {count:8d}  {name}")
    for complaint in complaints[:SHOWN]:
        print(complaint)
    return complaints


async def _requests(seed: int, numbers: range) -> tuple[collections.Counter[str], list[str]]:
    with tempfile.TemporaryDirectory() as folder:
        async with fuzzed_gateway(Path(folder)) as target:
            findings = await campaign(target, seed, numbers)
    reached = {"reached the instance": findings.reached_instances, "reached control": findings.reached_control}
    return findings.answers + collections.Counter(reached), findings.complaints


async def _answers(seed: int, numbers: range) -> tuple[collections.Counter[str], list[str]]:
    with tempfile.TemporaryDirectory() as folder:
        async with spoiling_gateway(Path(folder), seed) as world:
            findings = await campaign_of_answers(world, seed, numbers)
    return findings.outcomes, findings.complaints


if __name__ == "__main__":
    main()

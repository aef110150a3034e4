"""How long an endpoint without instances takes to answer: one request, and a burst of a hundred, at zero.

    python bench/wake.py [--rounds 20] [--bursts 5] [--burst 100]

Serves the recipes' iris forest with a real Moorage, takes its instances away, and invokes it. A wake is from the first
byte of the first request to the last of its answer. Beside it stands a bare warm start: the same model on an agent
alone, from the launch to the first prediction, without control, store and gateway.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from moorage.testing.deployment import Deployer
from moorage.testing.load import Target, signed_request
from moorage.testing.models import iris_archive
from moorage.testing.server import RunningMoorage
from start_up import warm_starts

NAME = "iris"
REST_S = 1.0
"""After the last instance has gone, so that nothing of its end is measured."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--bursts", type=int, default=5)
    parser.add_argument("--burst", type=int, default=100, help="requests at once")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="moorage-"))  # short enough for sockets
    try:
        bare = _say("bare warm start", warm_starts(folder / "agent", arguments.rounds))
        _measure(folder / "data", arguments, bare)
    finally:
        shutil.rmtree(folder)


def _measure(folder: Path, arguments: argparse.Namespace, bare: float) -> None:
    server = RunningMoorage(folder)
    server.start()
    try:
        deployer = Deployer(server)
        deployer.deploy(NAME, iris_archive())
        target = server.target(NAME)
        single = _say("wake, one request", [_wake(deployer, target, 1)[0] for _ in range(arguments.rounds)])
        bursts = [_wake(deployer, target, arguments.burst) for _ in range(arguments.bursts)]
        burst = _say(f"wake, burst of {arguments.burst}", [taken for each in bursts for taken in each])
        print(f"median wake / bare warm start: {single / bare:.2f} alone, {burst / bare:.2f} in a burst")
    finally:
        server.stop()


def _wake(deployer: Deployer, target: Target, count: int) -> list[float]:
    """Seconds that each of `count` requests took, sent at once to the endpoint at zero."""
    _put_to_sleep(deployer)
    return asyncio.run(_ask_at_once(target, count))


async def _ask_at_once(target: Target, count: int) -> list[float]:
    address = urlsplit(target.endpoint_url)
    connections = [await asyncio.open_connection(address.hostname, address.port) for _ in range(count)]
    request = signed_request(target)  # each the same: signing a hundred takes longer than what is measured
    return await asyncio.gather(*(_ask(request, *connection) for connection in connections))


async def _ask(request: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> float:
    begun = time.monotonic()
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200 "):
        raise SystemExit(f"failed: {head.decode()}")
    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    await reader.readexactly(length)
    writer.close()
    return time.monotonic() - begun


def _put_to_sleep(deployer: Deployer) -> None:
    changes = [{"VariantName": "AllTraffic", "DesiredInstanceCount": 0}]
    deployer.sagemaker.update_endpoint_weights_and_capacities(EndpointName=NAME, DesiredWeightsAndCapacities=changes)
    deployer.settled(NAME)
    time.sleep(REST_S)


def _say(what: str, seconds: list[float]) -> float:
    """Print the figures; answers the median."""
    ordered = sorted(seconds)
    p99 = ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]
    print(f"{what} ({len(ordered)}): p50 {statistics.median(ordered):.3f} s, p99 {p99:.3f} s, min {ordered[0]:.3f} s")
    return statistics.median(ordered)


if __name__ == "__main__":
    main()

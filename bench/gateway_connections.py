"""What connections cost the gateway that are open and send nothing, or next to nothing, beside Envoy and nginx.

    python bench/gateway_connections.py [--idle 2000,9000] [--seconds 40] [--only moorage]

The processes, their cores and the requests are those of `bench/gateway.py`.

- Memory per idle connection: resident memory with that many open, less that before, over their number; once when they
  are fresh, and once when each has made a request.
- Slow clients: p99 of a Poisson load of 300 requests a second, first alone, then beside 2,000 idle connections and 500
  that send a byte a second, half of them in the head and half in the body, and come back when they are cut off. Of
  our gateway only: what the others do with such clients is a matter of their configuration.
"""

from __future__ import annotations

import argparse
import contextlib
import resource
import socket
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from harness.crowd import Members, crowd
from harness.lineup import OURS, Lineup, lineup
from harness.machine import rss_bytes
from harness.paced import kept_on, run_paced
from harness.processes import ANSWER, Served

DEFAULT: Final = (OURS, "envoy-unix", "nginx-unix")
RATE: Final = 300.0
IDLE: Final = 2000
SLOW: Final = 500
GOAL_MS: Final = 50.0
SETTLED_S: Final = 1.0


def main() -> None:
    """Start everything, print both tables."""
    options = _options()
    _raise_open_files_limit()
    with tempfile.TemporaryDirectory() as name, lineup(Path(name), options.only) as line:
        print("Memory")
        for proxy, served in line.proxies.items():
            _print_memory(proxy, served, line.checked_requests(), options.idle)
        if OURS in line.proxies:
            _print_slow_clients(line, options.seconds)


def _print_memory(proxy: str, served: Served, requests: Sequence[bytes], counts: Sequence[int]) -> None:
    host, _, port = served.netloc.rpartition(":")
    empty = rss_bytes(served.pid)
    print(f"{proxy:12}   no connections {empty / 2**20:7.1f} MiB")
    with contextlib.ExitStack() as stack:
        opened: list[socket.socket] = []
        for count in counts:
            fresh = [
                stack.enter_context(socket.create_connection((host, int(port)))) for _ in range(len(opened), count)
            ]
            opened += fresh
            _print_growth(served, empty, "fresh", count)
            for sock in fresh:
                _exchange(sock, requests[sock.fileno() % len(requests)])
            _print_growth(served, empty, "used once", count)


def _print_growth(served: Served, empty: int, state: str, count: int) -> None:
    time.sleep(SETTLED_S)
    taken = rss_bytes(served.pid)
    each_kib = (taken - empty) / count / 1024
    print(f"{'':12}{count:7,} {state:9} {taken / 2**20:7.1f} MiB, {each_kib:5.2f} KiB each")


def _exchange(sock: socket.socket, request: bytes) -> None:
    sock.sendall(request)
    heard = b""
    while not heard.endswith(ANSWER):
        chunk = sock.recv(65536)
        if not chunk:
            raise SystemExit(f"a connection ended with {heard!r}")
        heard += chunk


def _print_slow_clients(line: Lineup, seconds: float) -> None:
    requests = line.checked_requests()
    netloc = line.proxies[OURS].netloc
    with kept_on(line.other_core):
        alone_ms = run_paced(netloc, requests, rate=RATE, seconds=seconds).percentile_us(0.99) / 1e3
        with crowd(netloc, Members(IDLE, SLOW, requests[0]), line.other_core) as tally:
            beside_ms = run_paced(netloc, requests, rate=RATE, seconds=seconds).percentile_us(0.99) / 1e3
            cut = tally.cut.value
    print(f"\n{RATE:.0f} requests a second for {seconds:.0f} s: p99 {alone_ms:.2f} ms")
    print(f"beside {IDLE:,} idle and {SLOW} slow clients, cut off {cut} times: p99 {beside_ms:.2f} ms", end="")
    print(f", goal {GOAL_MS:.0f}: {'ok' if beside_ms <= GOAL_MS else 'missed'}")


def _raise_open_files_limit() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--idle", type=lambda text: [int(part) for part in text.split(",")], default=[2000, 9000])
    parser.add_argument("--seconds", type=float, default=40.0, help="of load, alone and beside the slow clients")
    parser.add_argument("--only", type=lambda text: text.split(","), default=list(DEFAULT))
    return parser.parse_args()


if __name__ == "__main__":
    main()

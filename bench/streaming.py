"""What the gateway adds to a streamed answer, and what a slow reader costs it.

    python bench/streaming.py [--streams 100] [--seconds 4]

An instance makes a piece every 20 ms and writes into it when that was; the reader looks at the same clock when it has
it. One stream after the other, then many at once, begun within a second, past the gateway and through it as an event
stream: what lies between the two is the gateway's. Then readers that take 1 MiB/s each of an instance that could send a
hundred times as much: the gateway's memory must not grow with what they leave lying. The gateway has a core to itself;
the instance and the readers share another.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import re
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Coroutine, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import uvloop
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from harness.gateway import gateway, gateway_folder
from harness.invocations import Caller
from harness.machine import cores, cpu_s, require, rss_bytes
from harness.processes import Served
from moorage.wire.messages import Request, Response
from moorage.wire.server import serve

INSTANCES: Final = 8
PAUSE_S: Final = 0.02
FLOOD_PIECE: Final = bytes(65_536)
SLOW_READERS: Final = 20
SLOW_READ_S: Final = 0.0625
MIB: Final = 1024 * 1024
_MADE: Final = re.compile(rb"<(\d+)>")


@dataclass(slots=True)
class Heard:
    """Milliseconds, of all streams together."""

    request_to_first: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    """From when the first piece was made to when it was here."""
    later: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Source:
    """Where streams come from: an address to connect to and the request to send there."""

    address: str
    request: bytes

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        host, _, port = self.address.rpartition(":")
        reader, writer = await (
            asyncio.open_connection(host, int(port)) if host else asyncio.open_unix_connection(self.address)
        )
        writer.write(self.request)
        return reader, writer


def main() -> None:
    """Start everything, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=4.0)
    options = parser.parse_args()
    require("taskset")
    core, other = cores()
    os.sched_setaffinity(0, {other})
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "instance.sock"
        instance = multiprocessing.get_context("spawn").Process(target=_be_instance, args=(path,), daemon=True)
        instance.start()
        # One process that counts as several instances, for one is asked 64 things at once and no more.
        made = gateway_folder(Path(name) / "data", *[path] * INSTANCES)
        with gateway(made, core) as served:
            try:
                _run(_measure(served, made.caller, path, options))
            finally:
                instance.terminate()


async def _measure(served: Served, caller: Caller, path: Path, options: argparse.Namespace) -> None:
    pieces = int(options.seconds / PAUSE_S)
    while not _listens(path):
        await asyncio.sleep(0.01)
    print(f"{'ms, p50 / p99':44}{'past the gateway':>18}{'through it':>18}{'added':>18}")
    for streams, each in ((1, 10), (options.streams, pieces)):
        body = b"%d" % each
        past = await _listen(Source(str(path), _unsigned(body)), streams, each)
        used = cpu_s(served.pid)
        through = await _listen(Source(served.netloc, _signed(caller, served.netloc, body)), streams, each)
        used = cpu_s(served.pid) - used
        print(f"{streams} at once, a piece every {PAUSE_S * 1000:.0f} ms")
        for what in ("request_to_first", "first", "later"):
            _print_row(what.replace("_", " "), getattr(past, what), getattr(through, what))
        heard = len(through.first) + len(through.later)
        print(f"  {'CPU of the gateway, a piece':60}{used / heard * 1e6:11.0f} µs")
    await _slow_readers(served, Source(served.netloc, _signed(caller, served.netloc, b"flood")), options.seconds)


async def _listen(source: Source, streams: int, pieces: int) -> Heard:
    """`streams` at once for a while, or if that is one, a hundred one after the other."""
    heard = Heard()
    if streams == 1:
        for _ in range(100):
            await _hear(source, pieces, heard)
    else:
        await asyncio.gather(*(_hear(source, pieces, heard, after_s=n / streams) for n in range(streams)))
    return heard


async def _hear(source: Source, pieces: int, heard: Heard, *, after_s: float = 0.0) -> None:
    await asyncio.sleep(after_s)
    sent_ns = time.monotonic_ns()
    reader, writer = await source.open()
    delays: list[float] = []
    while len(delays) < pieces:
        data = await reader.read(65_536)
        now_ns = time.monotonic_ns()
        if not data:
            raise SystemExit("a stream broke off")
        if b"<" in data and not delays:
            heard.request_to_first.append((now_ns - sent_ns) / 1e6)
        delays += [(now_ns - int(made)) / 1e6 for made in _MADE.findall(data)]
    writer.close()
    heard.first.append(delays[0])
    heard.later += delays[1:]


async def _slow_readers(served: Served, source: Source, seconds: float) -> None:
    before = rss_bytes(served.pid)
    opened = [await source.open() for _ in range(SLOW_READERS)]
    read = 0
    most = before
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        read += sum([len(await reader.read(65_536)) for reader, _ in opened])
        most = max(most, rss_bytes(served.pid))
        await asyncio.sleep(SLOW_READ_S)
    for _, writer in opened:
        writer.close()
    print(
        f"{SLOW_READERS} readers of 1 MiB/s at most, {read / MIB:.0f} MiB read: the gateway's memory went from "
        f"{before / MIB:.1f} to {most / MIB:.1f} MiB, {(most - before) / SLOW_READERS / MIB:.2f} MiB a reader"
    )


def _print_row(what: str, past: list[float], through: list[float]) -> None:
    columns = [[_percentile(values, share) for share in (0.5, 0.99)] for values in (past, through)]
    columns.append([there - here for here, there in zip(*columns, strict=True)])
    print(f"  {what:42}" + "".join(f"{p50:9.2f} / {p99:5.2f} " for p50, p99 in columns))


def _percentile(values: Iterable[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _unsigned(body: bytes) -> bytes:
    return b"POST /invocations HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


def _signed(caller: Caller, netloc: str, body: bytes) -> bytes:
    path = f"/endpoints/{caller.endpoint_name}/invocations-response-stream"
    request = AWSRequest("POST", f"http://{netloc}{path}", data=body, headers={"Host": netloc})
    credentials = Credentials(caller.access_key_id, caller.secret_access_key)
    SigV4Auth(credentials, "sagemaker", caller.region).add_auth(request)
    fields = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    return f"POST {path} HTTP/1.1\r\n{fields}Content-Length: {len(body)}\r\n\r\n".encode() + body


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


def _be_instance(path: Path) -> None:
    """The instance's process: a body of digits asks for so many pieces, any other for pieces without end or pause."""

    async def pieces(count: int) -> AsyncIterator[bytes]:
        for _ in range(count):
            yield b"<%d>" % time.monotonic_ns()
            await asyncio.sleep(PAUSE_S)

    async def flood() -> AsyncIterator[bytes]:
        while True:
            yield FLOOD_PIECE

    async def handle(request: Request) -> Response:
        wanted = await request.read(100)
        if request.path == b"/ping":
            return Response(200)
        return Response(200, body=pieces(int(wanted)) if wanted.isdigit() else flood())

    async def run() -> None:
        await serve(handler=handle, path=path)
        await asyncio.Event().wait()

    _run(run())


def _run(coroutine: Coroutine[None, None, None]) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(coroutine)


if __name__ == "__main__":
    main()

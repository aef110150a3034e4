"""A thousand models behind one endpoint, in memory for two hundred: what their callers notice of it.

    python bench/multi_model.py [--models 1000] [--kept 200] [--rate 60] [--seconds 20] [--rounds 5] [--skew 1.1]

Each model is the recipes' forest of 100 trees (177 kB) with classes of its own, by which every answer is checked. How
much memory one takes is measured first, and the cap set to what `--kept` of them take. Requests fall due at random
(Poisson), for models by Zipf's law, and latency counts from when one fell due; in turn with them, the same load goes to
an endpoint of one model. What matters is the tail of the fifty models that are asked for most, beside that of the one.
"""

from __future__ import annotations

import argparse
import bisect
import collections
import copy
import http.client
import itertools
import json
import os
import pickle
import random
import selectors
import socket
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import numpy

from moorage.app.settings import run_dir_for
from moorage.testing.deployment import BUCKET, Deployer
from moorage.testing.load import signed_request
from moorage.testing.models import IRIS_ROWS, SKLEARN_IMAGE, archive, iris_forest
from moorage.testing.server import RunningMoorage

HOT: Final = 50
CONNECTIONS: Final = 64
GOAL: Final = 1.1
BODY: Final = json.dumps({"instances": IRIS_ROWS}).encode()
PROBED_MAX: Final = 100


@dataclass(slots=True)
class Reading:
    """Latencies in milliseconds, by model, and what else came of a load."""

    latencies_ms: dict[int, list[float]] = field(default_factory=lambda: collections.defaultdict(list))
    errors: list[bytes] = field(default_factory=list)

    def percentile(self, share: float, of: range) -> float:
        """Of all requests for these models."""
        found = sorted(itertools.chain.from_iterable(self.latencies_ms.get(model, ()) for model in of))
        return found[min(len(found) - 1, int(share * len(found)))] if found else float("nan")


def main() -> None:
    """Start a Moorage, fill it, measure in rounds, print."""
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        server = RunningMoorage(Path(folder) / "data", gateway_workers=1)
        server.start()
        try:
            bench = Bench(server, options.models)
            bench.upload()
            cap = options.kept * bench.bytes_a_model()
            print(f"cap {cap / 1e6:.0f} MB: {options.kept} models of {cap / options.kept / 1e3:.0f} kB in memory")
            bench.open("many", {"MOORAGE_MODEL_CACHE_BYTES": str(cap)})
            bench.open_single()
            bench.measure(options, cap)
        finally:
            server.stop()


class Bench:
    """A running Moorage with many models in a bucket."""

    def __init__(self, server: RunningMoorage, models: int) -> None:
        self._server = server
        self._deployer = Deployer(server)
        self._models = models
        self._netloc = urlsplit(server.endpoint_url).netloc

    def upload(self) -> None:
        """Put every model where the endpoints look for it."""
        began = time.monotonic()
        forest = copy.deepcopy(iris_forest())
        for number in range(self._models):
            forest.classes_ = numpy.array([number, number + 1, number + 2])
            body = archive({"model.pkl": pickle.dumps(forest)})
            self._deployer.s3.put_object(Bucket=BUCKET, Key=f"many/{_name(number)}", Body=body)
        print(f"{self._models} models uploaded in {time.monotonic() - began:.1f} s")

    def open(self, name: str, environment: dict[str, str]) -> None:
        """An endpoint of all models."""
        self._deployer.sagemaker.create_model(
            ModelName=name,
            PrimaryContainer={
                "Image": SKLEARN_IMAGE,
                "Mode": "MultiModel",
                "ModelDataUrl": f"s3://{BUCKET}/many/",
                "Environment": environment,
            },
            ExecutionRoleArn=self._deployer.role_arn,
        )
        self._deployer.config(name, name)
        assert self._deployer.endpoint(name) == "InService"

    def open_single(self) -> None:
        """An endpoint of one model, in one process as well."""
        forest = copy.deepcopy(iris_forest())
        forest.classes_ = numpy.array([0, 1, 2])
        single = archive({"model.pkl": pickle.dumps(forest)})
        environment = {"SAGEMAKER_MODEL_SERVER_WORKERS": "1"}
        assert self._deployer.deploy("single", single, Environment=environment) == "InService"

    def bytes_a_model(self) -> int:
        """What one takes in memory, over that of an instance that has some already."""
        self.open("probe", {})
        probed = min(PROBED_MAX, self._models // 2)
        readings = []
        for first in (0, probed):
            for number in range(first, first + probed):
                for _ in range(8):  # as often as a model is asked that stays
                    self._deployer.invoke("probe", BODY, TargetModel=_name(number))
            readings.append(_allocated_bytes(self._server.pids("instance")[0]))
        self._deployer.delete("probe")
        return (readings[1] - readings[0]) // probed

    def measure(self, options: argparse.Namespace, cap: int) -> None:
        """Warm up, then both endpoints in turn."""
        pick = _zipf(self._models, options.skew)
        pid = self._instance("many")
        before = _allocated_bytes(pid)
        self._touch_all("many")
        self._load("many", pick, options.rate, options.warm_up)
        rows, highest = [], 0
        for _ in range(options.rounds):
            single = self._load("single", lambda _: 0, options.rate, options.seconds)
            many = self._load("many", pick, options.rate, options.seconds)
            highest = max(highest, _allocated_bytes(pid))
            rows.append((single, many))
            _print_round(single, many, self._models)
        ratio = statistics.median(
            many.percentile(0.99, range(HOT)) / single.percentile(0.99, range(HOT)) for single, many in rows
        )
        errors = sum(len(each.errors) for row in rows for each in row)
        grown = highest - before
        report = self._report("many")
        counted = report["statistics"]["summaries"]
        hits = counted["ModelCacheHit"]
        print(f"\nerrors: {errors}")
        print(f"p99 of the hot {HOT} beside that of the single model: {ratio:.2f} (goal: at most {GOAL})")
        print(f"grown by {grown / 1e6:.0f} MB of {cap / 1e6:.0f} MB; {len(report['loaded'])} models in memory")
        print(f"cache hits: {hits['total'] / hits['count']:.1%}; loads: {counted['ModelLoadingTime']}")

    def _touch_all(self, endpoint: str) -> None:
        """Ask every model once: from then on each is unpacked on the instance's disk."""
        began = time.monotonic()
        with ThreadPoolExecutor(4) as callers:
            for number, answer in enumerate(callers.map(lambda n: self._ask(endpoint, n), range(self._models))):
                assert json.loads(answer)["predictions"][0] == number
        print(f"every model asked once in {time.monotonic() - began:.1f} s")

    def _ask(self, endpoint: str, number: int) -> bytes:
        return self._deployer.invoke(endpoint, BODY, TargetModel=_name(number))

    def _load(self, endpoint: str, pick: Callable[[float], int], rate: float, seconds: float) -> Reading:
        requests = _Requests(self._server, endpoint)
        return _PacedLoad(self._netloc, requests, pick).run(rate, seconds)

    def _instance(self, endpoint: str) -> int:
        """The process of an endpoint's one instance."""
        logs = self._server.data_dir / "logs" / self._server.region / endpoint / "AllTraffic"
        instance = next(logs.glob("*.log")).stem
        return next(seen.pid for seen in self._server.processes() if seen.part == instance)

    def _report(self, endpoint: str) -> dict[str, Any]:
        logs = self._server.data_dir / "logs" / self._server.region / endpoint / "AllTraffic"
        name = next(logs.glob("*.log")).stem.removeprefix("i-")
        connection = http.client.HTTPConnection("instance")
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(str(run_dir_for(self._server.data_dir.resolve()) / "i" / f"{name}.sock"))
        connection.request("GET", "/moorage/models")
        report: dict[str, Any] = json.load(connection.getresponse())
        connection.close()
        return report


class _Requests:
    """A signed request for each model, made when it is first needed."""

    def __init__(self, server: RunningMoorage, endpoint: str) -> None:
        self._server = server
        self._endpoint = endpoint
        self._made: dict[int, bytes] = {}

    def __call__(self, model: int) -> bytes:
        if model not in self._made:
            headers = {"X-Amzn-SageMaker-Target-Model": _name(model)} if self._endpoint != "single" else {}
            self._made[model] = signed_request(self._server.target(self._endpoint, body=BODY, headers=headers))
        return self._made[model]


class _PacedLoad:
    """Kept connections, each of them idle or waiting for one answer."""

    def __init__(self, netloc: str, requests: Callable[[int], bytes], pick: Callable[[float], int]) -> None:
        host, _, port = netloc.rpartition(":")
        self._requests = requests
        self._pick = pick
        self._ready = selectors.DefaultSelector()
        self._idle: collections.deque[socket.socket] = collections.deque()
        self._asked: dict[socket.socket, tuple[float, int]] = {}
        self._heard: dict[socket.socket, bytes] = {}
        self._reading = Reading()
        for _ in range(CONNECTIONS):
            sock = socket.create_connection((host, int(port)))
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._ready.register(sock, selectors.EVENT_READ)
            self._idle.append(sock)

    def run(self, rate: float, seconds: float) -> Reading:
        """Send `rate` requests a second and wait for all answers."""
        draw = random.Random(1)
        due = list(
            itertools.takewhile(
                lambda at: at < seconds, itertools.accumulate(iter(lambda: draw.expovariate(rate), None))
            )
        )
        schedule = collections.deque((at, self._pick(draw.random())) for at in due)
        for _, model in schedule:
            self._requests(model)
        began = time.perf_counter()
        while schedule or self._asked:
            while schedule and self._idle and schedule[0][0] <= time.perf_counter() - began:
                self._send(*schedule.popleft())
            pause = max(0.0, schedule[0][0] - (time.perf_counter() - began)) if schedule else 60.0
            for key, _ in self._ready.select(pause):
                assert isinstance(key.fileobj, socket.socket)
                self._receive(key.fileobj, began)
        for sock in self._idle:
            sock.close()
        return self._reading

    def _send(self, due: float, model: int) -> None:
        sock = self._idle.popleft()
        self._asked[sock] = (due, model)
        self._heard[sock] = b""
        sock.sendall(self._requests(model))

    def _receive(self, sock: socket.socket, began: float) -> None:
        self._heard[sock] += sock.recv(65536)
        head, separator, body = self._heard[sock].partition(b"\r\n\r\n")
        if not separator or len(body) < _content_length(head):
            return
        due, model = self._asked.pop(sock)
        self._idle.append(sock)
        if b" 200 " not in head[:16] or json.loads(body)["predictions"] != [model, model + 1, model + 2]:
            self._reading.errors.append(body)
        self._reading.latencies_ms[model].append((time.perf_counter() - began - due) * 1e3)


def _content_length(head: bytes) -> int:
    line = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    return int(line.partition(b":")[2])


def _zipf(models: int, skew: float) -> Callable[[float], int]:
    """The model at `u` in [0, 1) of all requests."""
    bounds = list(itertools.accumulate(1 / rank**skew for rank in range(1, models + 1)))
    return lambda u: min(bisect.bisect(bounds, u * bounds[-1]), models - 1)


def _print_round(single: Reading, many: Reading, models: int) -> None:
    def figures(reading: Reading, of: range) -> str:
        return f"p50 {reading.percentile(0.5, of):6.2f}  p99 {reading.percentile(0.99, of):7.2f} ms"

    print(
        f"single {figures(single, range(HOT))}   hot {figures(many, range(HOT))}   all {figures(many, range(models))}"
    )


def _name(number: int) -> str:
    return f"model-{number}.tar.gz"


def _allocated_bytes(pid: int) -> int:
    """What a process and its children have of their own in memory, as the instance itself counts it."""
    children = map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
    _, resident, shared, *_ = Path(f"/proc/{pid}/statm").read_text().split()
    return (int(resident) - int(shared)) * os.sysconf("SC_PAGE_SIZE") + sum(map(_allocated_bytes, children))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=int, default=1000)
    parser.add_argument("--kept", type=int, default=200)
    parser.add_argument("--rate", type=float, default=60.0)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--warm-up", type=float, default=60.0, help="seconds, until the hot models are where they stay")
    parser.add_argument("--skew", type=float, default=1.1)
    options: argparse.Namespace = parser.parse_args()
    return options


if __name__ == "__main__":
    main()

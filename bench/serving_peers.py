"""The two models of the peer benchmark, served by Moorage through its gateway in one run with other model servers.

    python bench/serving_peers.py --peers FOLDER --work FOLDER [--rounds 2] [--connections 1,32,128] [PEER ...]

FOLDER of `--peers` is the peer benchmark (`run.py`, `peers.toml`); that of `--work` holds its environments and models,
made by its `setup.sh`. Every round measures all peers and then Moorage, every second one the other way round: wrk, one
thread, closed loop, on the same cores as the server. Moorage's requests are signed and go through the gateway; the
others are asked directly. Its answers are compared with the library's before anything is measured.

Peers are measured in their best configuration. Moorage's, for models as quick as these on two cores, is one process of
each kind, since larger batches cost less; `--gateway-workers 2 --model-workers 2` is what it does there by itself.

A is a random forest (100 trees, iris, 3 rows a request as JSON, classes and probabilities), B is XGBoost (100 trees of
depth 6, one row of 20 numbers as CSV, the probability).
"""

from __future__ import annotations

import argparse
import concurrent.futures
import contextlib
import ctypes
import functools
import io
import json
import math
import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from moorage.testing.deployment import Deployer
from moorage.testing.models import archive
from moorage.testing.server import RunningMoorage

SKLEARN_IMAGE: Final = "moorage/scikit-learn"
XGBOOST_IMAGE: Final = "moorage/xgboost"
WORKERS: Final = "SAGEMAKER_MODEL_SERVER_WORKERS"
TOLERANCE: Final = 1e-5
CALLERS: Final = 16
_PR_SET_CHILD_SUBREAPER: Final = 36


@dataclass(frozen=True, slots=True)
class Work:
    """One model's endpoint and the request that is measured."""

    endpoint: str
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Running:
    """A Moorage that serves both models. `pid` is an ancestor of all its processes, and of nothing else."""

    url: str
    pid: int
    access_key_id: str
    secret_access_key: str
    works: dict[str, Work]


def main() -> None:
    """Measure all in rounds; the peer benchmark writes the table."""
    options = _options()
    with tempfile.TemporaryDirectory() as name, moorage(Path(name), options) as running:
        for number in range(options.rounds):
            measure_peers = functools.partial(_measure_peers, options)
            measure_moorage = functools.partial(_measure_moorage, Path(name), options, running)
            for measure in (measure_peers, measure_moorage) if number % 2 == 0 else (measure_moorage, measure_peers):
                measure()
    print(options.out.with_suffix(".md").read_text())


@contextlib.contextmanager
def moorage(folder: Path, options: argparse.Namespace) -> Iterator[Running]:
    """Moorage with both models, below a process of its own that its detached parts fall back to."""
    ours, theirs = multiprocessing.Pipe()
    holder = multiprocessing.get_context("spawn").Process(target=_hold, args=(folder / "data", options, theirs))
    holder.start()
    theirs.close()
    try:
        running = ours.recv()
        assert isinstance(running, Running), running
        yield running
    finally:
        ours.close()
        holder.join()


def _hold(data_dir: Path, options: argparse.Namespace, parent: Connection) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    models, workers = options.models, str(options.model_workers)
    server = RunningMoorage(data_dir, gateway_workers=options.gateway_workers)
    server.start()
    try:
        deployer = Deployer(server)
        cases = json.loads((models / "cases.json").read_text())
        works = {
            "A": _deploy_forest(deployer, models, cases["A"], workers),
            "B": _deploy_boosted(deployer, models, cases["B"], workers),
        }
        target = server.target(works["A"].endpoint)
        parent.send(Running(server.endpoint_url, os.getpid(), target.access_key_id, target.secret_access_key, works))
        with contextlib.suppress(EOFError):
            parent.recv()  # until the other end is closed
    finally:
        server.stop()


def _deploy_forest(deployer: Deployer, models: Path, cases: list[dict[str, Any]], workers: str) -> Work:
    data = archive({"model.joblib": (models / "A.joblib").read_bytes()})
    assert deployer.deploy("forest", data, Image=SKLEARN_IMAGE, Environment={WORKERS: workers}) == "InService"
    works = [Work("forest", "application/json", json.dumps({"instances": case["rows"]}).encode()) for case in cases]
    answers = [json.loads(answer) for answer in _ask_all(deployer, works)]
    for case, answer in zip(cases, answers, strict=True):
        _check(case["probs"], answer["probabilities"])
        assert case["classes"] == answer["predictions"], (case, answer)
    return works[0]


def _deploy_boosted(deployer: Deployer, models: Path, cases: list[dict[str, Any]], workers: str) -> Work:
    data = archive({"xgboost-model": (models / "B.json").read_bytes()})
    assert deployer.deploy("boosted", data, Image=XGBOOST_IMAGE, Environment={WORKERS: workers}) == "InService"
    works = [Work("boosted", "text/csv", _csv(case["rows"])) for case in cases]
    for case, answer in zip(cases, _ask_all(deployer, works), strict=True):
        _check(case["probs"], [float(number) for number in answer.decode().replace("\n", ",").split(",") if number])
    return works[0]


def _ask_all(deployer: Deployer, works: list[Work]) -> list[bytes]:
    """All requests, many at a time: this finds answers that were mixed up."""
    with concurrent.futures.ThreadPoolExecutor(CALLERS) as pool:
        return list(pool.map(lambda work: _ask(deployer, work), works))


def _ask(deployer: Deployer, work: Work) -> bytes:
    accept = "text/csv" if work.content_type == "text/csv" else "application/json"
    return deployer.invoke(work.endpoint, work.body, ContentType=work.content_type, Accept=accept)


def _csv(rows: list[list[float]]) -> bytes:
    text = io.StringIO()
    for row in rows:
        print(*row, sep=",", file=text)
    return text.getvalue().encode()


def _check(expected: Any, found: Any) -> None:
    wanted, got = list(_leaves(expected)), list(_leaves(found))
    assert len(wanted) == len(got), (wanted, got)
    assert all(math.isclose(a, b, abs_tol=TOLERANCE) for a, b in zip(wanted, got, strict=True)), (wanted, got)


def _leaves(value: Any) -> Iterator[float]:
    if isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    else:
        yield value


def _measure_peers(options: argparse.Namespace) -> None:
    if options.names:
        _run(options, "--models", "A,B", *options.names)


def _measure_moorage(folder: Path, options: argparse.Namespace, running: Running) -> None:
    for model, work in running.works.items():
        url = f"{running.url}/endpoints/{work.endpoint}/invocations"
        (folder / "body").write_bytes(work.body)
        (folder / "headers").write_text(_signed_headers(running, url, work))
        target = ("--target", f"moorage-{model}", "--url", url, "--pid", str(running.pid))
        files = ("--body-file", str(folder / "body"), "--headers-file", str(folder / "headers"))
        _run(options, *target, *files)


def _signed_headers(running: Running, url: str, work: Work) -> str:
    """The headers as boto3 signs them; the signature holds for five minutes, a round of one model takes one."""
    request = AWSRequest("POST", url, data=work.body, headers={"Content-Type": work.content_type})
    key = Credentials(running.access_key_id, running.secret_access_key)
    SigV4Auth(key, "sagemaker", "us-east-1").add_auth(request)
    return "".join(f"{name}: {value}\n" for name, value in request.headers.items())


def _run(options: argparse.Namespace, *arguments: str) -> None:
    book = ("--add",) if options.out.with_suffix(".json").exists() else ()
    command = [sys.executable, str(options.peers / "run.py"), "--work", str(options.work), "--out", str(options.out)]
    timing = ("--rounds", "1", "--seconds", str(options.seconds), "--patience", "20", "--c", options.connections)
    subprocess.run([*command, *book, *timing, *arguments], check=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="peers of peers.toml, by name or group; none: Moorage alone")
    parser.add_argument("--peers", type=Path, help="the folder with run.py")
    parser.add_argument("--work", type=Path, help="the folder with venvs/ and models/")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--connections", default="1,32,128")
    parser.add_argument("--gateway-workers", type=int, default=1)
    parser.add_argument("--model-workers", type=int, default=1)
    options = parser.parse_args()
    if options.peers is None or options.work is None:
        print("skipped: needs --peers and --work, the folders of the peer benchmark")
        sys.exit(0)
    options.models = options.work / "models" / "base"
    options.out = options.work / "beside-moorage"
    options.out.with_suffix(".json").unlink(missing_ok=True)
    return options


if __name__ == "__main__":
    main()

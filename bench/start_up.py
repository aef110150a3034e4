"""How long an instance takes from launch to first prediction: warm, and in an environment that was built before.

    python bench/start_up.py [--rounds 20] [--release 1.2] [--only warm]

Launches the recipes' forest on a real agent, without control and gateway, and asks it over its socket. `warm` is with
the nursery running and another instance of the model there, as when a variant grows or an instance is replaced, which
has checked what the next ones compile; `cold` is an agent that has just been started, whose first instance needs an
environment built earlier: a scikit-learn other than the installed one, from the machine's package index, where one can
be reached.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import http.client
import json
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from moorage.app.settings import load_settings
from moorage.core.model import (
    Container,
    DataForm,
    EndpointKey,
    InstanceSpec,
    InstanceState,
    ModelData,
    Observation,
    Variant,
    instance_id,
)
from moorage.runners.base import ContainerFiles, ModelFile, ModelFiles
from moorage.runners.process import images
from moorage.runners.process.client import ProcessRunner
from moorage.runners.process.environments.environments import Environments, EnvironmentUnavailable
from moorage.system.clock import SystemClock
from moorage.testing.agent import RunningAgent
from moorage.testing.models import SKLEARN_IMAGE, archive, iris_archive, sklearn_image

BODY = json.dumps({"instances": [[5.1, 3.5, 1.4, 0.2]]}).encode()
TRAIN = """
import pickle, sys
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
rows, species = load_iris(return_X_y=True)
sys.stdout.buffer.write(pickle.dumps(RandomForestClassifier(n_estimators=100, random_state=42).fit(rows, species)))
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--release", default="1.2", help="of scikit-learn, for the environment that is built")
    parser.add_argument("--only", choices=["warm", "cold"])
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="moorage-"))  # short enough for sockets
    try:
        if arguments.only != "cold":
            _measure_warm(folder / "warm", arguments.rounds)
        if arguments.only != "warm":
            _measure_cold(folder / "cold", sklearn_image(arguments.release))
    finally:
        shutil.rmtree(folder)


def warm_starts(folder: Path, rounds: int) -> list[float]:
    """Seconds from launch to first prediction, on an agent with its files in `folder`, another instance being there."""
    agent = RunningAgent(folder)
    agent.start()
    try:
        asyncio.run(_first_prediction(agent, SKLEARN_IMAGE, iris_archive(), 0, stays=True))
        return [asyncio.run(_first_prediction(agent, SKLEARN_IMAGE, iris_archive(), n)) for n in range(1, rounds + 1)]
    finally:
        agent.shut_down()


def _measure_warm(folder: Path, rounds: int) -> None:
    taken = warm_starts(folder, rounds)
    print(f"warm, {rounds} rounds: p50 {statistics.median(taken) * 1000:.0f} ms, min {min(taken) * 1000:.0f} ms")


def _measure_cold(folder: Path, image: str) -> None:
    agent = RunningAgent(folder, packages=load_settings(folder).packages)
    begun = time.monotonic()
    try:
        python = asyncio.run(_build(agent, image))
    except EnvironmentUnavailable as error:
        print(f"cold: not measured, {error}")
        return
    print(f"environment built from the package index in {time.monotonic() - begun:.1f} s")
    model = archive({"model.pkl": subprocess.run([python, "-I", "-c", TRAIN], capture_output=True, check=True).stdout})
    agent.start()
    try:
        print(f"cold, environment built: {asyncio.run(_first_prediction(agent, image, model, 0)):.2f} s")
    finally:
        agent.shut_down()


async def _build(agent: RunningAgent, image: str) -> Path:
    root = agent.settings.environments_dir
    root.mkdir(parents=True)
    environments = Environments(root, agent.settings.packages, SystemClock(), bytes_max=1 << 40, in_use=set)
    return (await environments.ensure(images.resolve(image), lambda line: None)).python


async def _first_prediction(
    agent: RunningAgent, image: str, model: bytes, ordinal: int, *, stays: bool = False
) -> float:
    """Seconds from the launch to the answer; the instance is stopped then, unless it is to stay."""
    runner, digest = agent.runner(), hashlib.sha256(model).hexdigest()
    path = agent.settings.run_dir.parent / digest
    path.write_bytes(model)
    spec = _spec(image, ordinal)
    files = ContainerFiles(ModelFiles(DataForm.ARCHIVE, digest, (ModelFile("model.tar.gz", path),)))
    begun = time.monotonic()
    await runner.launch(spec, (files,))
    while (found := await _observe(runner, spec)).state is InstanceState.STARTING:
        await asyncio.sleep(0.001)
    if found.address is None:
        raise SystemExit(found.reason)
    _ask(found.address)
    taken = time.monotonic() - begun
    if not stays:
        await runner.stop(spec.id)
    return taken


async def _observe(runner: ProcessRunner, spec: InstanceSpec) -> Observation:
    return next(found for found in await runner.observe() if found.id == spec.id)


def _spec(image: str, ordinal: int) -> InstanceSpec:
    container = Container(image, ModelData("s3://bench/model.tar.gz"), {})
    return InstanceSpec(
        id=instance_id("bench", 1, "AllTraffic", ordinal),
        endpoint=EndpointKey("us-east-1", "bench"),
        uid="bench",
        generation=1,
        ordinal=ordinal,
        variant=Variant("AllTraffic", "iris", (container,), "ml.t2.medium", 1),
    )


def _ask(address: str) -> None:
    connection = http.client.HTTPConnection("instance")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(address)
    connection.request("POST", "/invocations", BODY, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    if answer.status != 200:
        raise SystemExit(answer.read().decode())
    connection.close()


if __name__ == "__main__":
    main()

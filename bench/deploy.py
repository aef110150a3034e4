"""How long CreateEndpoint takes to InService: first ever, warm, and for a second model of the same framework.

    python bench/deploy.py [--rounds 20]

Each figure is the time from sending CreateEndpoint to the answer of DescribeEndpoint that says InService, polled every
20 ms on a real Moorage in a new data directory.
"""

from __future__ import annotations

import argparse
import json
import pickle
import statistics
import tempfile
import time
from pathlib import Path

from moorage.testing.deployment import Deployer
from moorage.testing.models import archive, iris_archive, iris_forest
from moorage.testing.server import RunningMoorage

BODY = json.dumps({"instances": [[5.1, 3.5, 1.4, 0.2]]}).encode()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args().rounds
    forest = iris_archive()
    other = archive({"model.pkl": pickle.dumps(iris_forest().set_params(n_jobs=None)), "note.txt": b"another archive"})
    with tempfile.TemporaryDirectory() as folder:
        server = RunningMoorage(Path(folder) / "data")
        begun = time.monotonic()
        server.start()
        print(f"first start to ready        {time.monotonic() - begun:6.3f} s")
        try:
            _measure(Deployer(server), forest, other, rounds)
        finally:
            server.stop()


def _measure(deployer: Deployer, forest: bytes, other: bytes, rounds: int) -> None:
    deployer.model("first", forest)
    print(f"first endpoint ever         {_deploy(deployer, 'first', 'first'):6.3f} s")
    _first_prediction(deployer, "first")
    deployer.model("second", other)
    print(f"second model, same framework{_deploy(deployer, 'second', 'second'):6.3f} s")
    warm = []
    for number in range(rounds):
        name = f"warm-{number}"
        deployer.model(name, forest)
        warm.append(_deploy(deployer, name, name))
        deployer.sagemaker.delete_endpoint(EndpointName=name)
        deployer.settled(name)
    warm.sort()
    print(
        f"warm, {rounds} rounds: p50 {statistics.median(warm):.3f} s, min {warm[0]:.3f} s, max {warm[-1]:.3f} s",
    )


def _deploy(deployer: Deployer, endpoint: str, model: str) -> float:
    deployer.config(endpoint, model)
    begun = time.monotonic()
    deployer.sagemaker.create_endpoint(EndpointName=endpoint, EndpointConfigName=endpoint)
    while (status := deployer.sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointStatus"]) != "InService":
        if status == "Failed":
            raise SystemExit(deployer.sagemaker.describe_endpoint(EndpointName=endpoint)["FailureReason"])
        time.sleep(0.02)
    return time.monotonic() - begun


def _first_prediction(deployer: Deployer, endpoint: str) -> None:
    begun = time.monotonic()
    deployer.invoke(endpoint, BODY)
    print(f"first prediction            {time.monotonic() - begun:6.3f} s")


if __name__ == "__main__":
    main()

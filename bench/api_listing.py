"""How long listing and describing takes with 1,000 endpoint configs and 200 endpoints there: p50 and p99 by operation.

    python bench/api_listing.py [--configs 1000] [--endpoints 200] [--rounds 500]

Asks the Moorage that AWS_ENDPOINT_URL and the AWS credentials in the environment point at (`eval "$(moorage env)"`), or
one of its own in a new data directory. The endpoints' archive is not one, so they come to rest as Failed without an
instance: what is measured is the API and the store, not this machine's memory.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3

from moorage.testing.models import SKLEARN_IMAGE, TRUST_SAGEMAKER

NAME = "listing-bench"
MODEL_DATA = f"s3://{NAME}/broken.tar.gz"
GOAL_MS = 20.0
FAILED_WITHIN_S = 60.0

Client = Callable[[str], Any]


def main() -> None:
    """Fill, measure, print, empty."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--configs", type=int, default=1000)
    parser.add_argument("--endpoints", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=500)
    options = parser.parse_args()
    with _moorage() as client:
        sagemaker = client("sagemaker")
        try:
            _fill(client, configs=options.configs, endpoints=options.endpoints)
            _measure(sagemaker, configs=options.configs, endpoints=options.endpoints, rounds=options.rounds)
        finally:
            _empty(sagemaker)


@contextlib.contextmanager
def _moorage() -> Iterator[Client]:
    if "AWS_ENDPOINT_URL" in os.environ:
        yield boto3.client
        return
    from moorage.testing.server import RunningMoorage

    with tempfile.TemporaryDirectory() as folder:
        server = RunningMoorage(Path(folder) / "data")
        server.start()
        try:
            yield server.client
        finally:
            server.stop()


def _fill(client: Client, *, configs: int, endpoints: int) -> None:
    iam, s3, sagemaker = client("iam"), client("s3"), client("sagemaker")
    with contextlib.suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_role(RoleName=NAME, AssumeRolePolicyDocument=TRUST_SAGEMAKER)
    with contextlib.suppress(s3.exceptions.BucketAlreadyOwnedByYou):
        s3.create_bucket(Bucket=NAME)
    s3.put_object(Bucket=NAME, Key="broken.tar.gz", Body=b"not an archive")
    sagemaker.create_model(
        ModelName=NAME,
        ExecutionRoleArn=iam.get_role(RoleName=NAME)["Role"]["Arn"],
        PrimaryContainer={"Image": SKLEARN_IMAGE, "ModelDataUrl": MODEL_DATA},
    )
    variant = {"VariantName": "AllTraffic", "ModelName": NAME, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    begun = time.monotonic()
    for number in range(configs):
        sagemaker.create_endpoint_config(EndpointConfigName=f"{NAME}-{number}", ProductionVariants=[variant])
    print(f"{configs} endpoint configs created in {time.monotonic() - begun:.1f} s")
    begun = time.monotonic()
    for number in range(endpoints):
        sagemaker.create_endpoint(EndpointName=f"{NAME}-{number}", EndpointConfigName=f"{NAME}-{number % configs}")
    _wait_for_failures(sagemaker, endpoints)
    print(f"{endpoints} endpoints created and at rest in {time.monotonic() - begun:.1f} s")


def _wait_for_failures(sagemaker: Any, endpoints: int) -> None:
    deadline = time.monotonic() + FAILED_WITHIN_S
    while time.monotonic() < deadline:
        if len(_names(sagemaker, "list_endpoints", StatusEquals="Failed")) == endpoints:
            return
        time.sleep(0.2)
    raise SystemExit(f"not every endpoint had come to rest after {FAILED_WITHIN_S} s")


def _measure(sagemaker: Any, *, configs: int, endpoints: int, rounds: int) -> None:
    draw = random.Random(1)
    cases: dict[str, Callable[[], Any]] = {
        "ListEndpointConfigs": lambda: sagemaker.list_endpoint_configs(MaxResults=100),
        "ListEndpointConfigs by name": lambda: sagemaker.list_endpoint_configs(
            SortBy="Name", NameContains=str(draw.randrange(configs)), MaxResults=100
        ),
        "ListEndpoints": lambda: sagemaker.list_endpoints(MaxResults=100),
        "ListEndpoints by status": lambda: sagemaker.list_endpoints(StatusEquals="Failed", SortBy="Status"),
        "DescribeEndpointConfig": lambda: sagemaker.describe_endpoint_config(
            EndpointConfigName=f"{NAME}-{draw.randrange(configs)}"
        ),
        "DescribeEndpoint": lambda: sagemaker.describe_endpoint(EndpointName=f"{NAME}-{draw.randrange(endpoints)}"),
    }
    for name, call in cases.items():
        call()
        times_ms = sorted(_time_ms(call) for _ in range(rounds))
        p99 = times_ms[int(len(times_ms) * 0.99)]
        verdict = "ok" if p99 <= GOAL_MS else f"above the goal of {GOAL_MS:.0f} ms"
        print(f"{name:28} p50 {statistics.median(times_ms):6.2f} ms   p99 {p99:6.2f} ms   {verdict}")


def _time_ms(call: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    call()
    return (time.perf_counter() - begun) * 1000


def _empty(sagemaker: Any) -> None:
    for name in _names(sagemaker, "list_endpoints"):
        sagemaker.delete_endpoint(EndpointName=name)
    for name in _names(sagemaker, "list_endpoint_configs"):
        sagemaker.delete_endpoint_config(EndpointConfigName=name)
    sagemaker.delete_model(ModelName=NAME)


def _names(sagemaker: Any, operation: str, **filters: Any) -> list[str]:
    pages = sagemaker.get_paginator(operation).paginate(
        NameContains=NAME, **filters, PaginationConfig={"PageSize": 100}
    )
    member = {"list_endpoints": "Endpoint", "list_endpoint_configs": "EndpointConfig"}[operation]
    return [row[f"{member}Name"] for page in pages for row in page[f"{member}s"]]


if __name__ == "__main__":
    main()

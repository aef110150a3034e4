"""How long listing and describing takes with 1,000 endpoint configs and 200 endpoints there: p50 and p99 by operation.

    python bench/api_listing.py [--configs 1000] [--endpoints 200] [--rounds 500]

Asks the Moorage that AWS_ENDPOINT_URL and the AWS credentials in the environment point at (`eval "$(moorage env)"`), or
one of its own in a new data directory. The endpoints' archive is not one, so they come to rest as Failed without an
instance: what is measured is the API and the store, not this machine's memory. Times are from the first byte sent to
the last received, with the signature made beforehand: botocore takes longer to parse a hundred rows than the server to
send them.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from moorage.testing.models import SKLEARN_IMAGE, TRUST_SAGEMAKER

NAME = "listing-bench"
MODEL_DATA = f"s3://{NAME}/broken.tar.gz"
GOAL_MS = 20.0
FAILED_WITHIN_S = 60.0


def main() -> None:
    """Fill, measure, print, empty."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--configs", type=int, default=1000)
    parser.add_argument("--endpoints", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=500)
    options = parser.parse_args()
    with _environment() as environment:
        session = boto3.Session(
            environment["AWS_ACCESS_KEY_ID"],
            environment["AWS_SECRET_ACCESS_KEY"],
            environment.get("AWS_SESSION_TOKEN"),
            region_name=environment["AWS_REGION"],
        )
        moorage = Moorage(session, environment["AWS_ENDPOINT_URL"])
        try:
            _fill(moorage, configs=options.configs, endpoints=options.endpoints)
            _measure(moorage, configs=options.configs, endpoints=options.endpoints, rounds=options.rounds)
        finally:
            _empty(moorage.client("sagemaker"))


@contextlib.contextmanager
def _environment() -> Iterator[Mapping[str, str]]:
    if "AWS_ENDPOINT_URL" in os.environ:
        yield os.environ
        return
    from moorage.testing.server import RunningMoorage

    with tempfile.TemporaryDirectory() as folder:
        server = RunningMoorage(Path(folder) / "data")
        server.start()
        try:
            yield server.environment()
        finally:
            server.stop()


class Moorage:
    """One Moorage, through boto3 and, where time counts, without it."""

    def __init__(self, session: boto3.Session, url: str) -> None:
        self._session = session
        self._url = url
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc)

    def client(self, service: str) -> Any:
        """A boto3 client."""
        return self._session.client(service, endpoint_url=self._url)

    def time_ms(self, operation: str, request: dict[str, Any]) -> float:
        """How long one exchange takes, on a connection that is open already."""
        headers = {"X-Amz-Target": f"SageMaker.{operation}", "Content-Type": "application/x-amz-json-1.1"}
        signed = AWSRequest("POST", self._url + "/", headers, json.dumps(request))
        SigV4Auth(self._session.get_credentials(), "sagemaker", self._session.region_name).add_auth(signed)
        begun = time.perf_counter()
        self._connection.request("POST", "/", signed.data, dict(signed.headers))
        response = self._connection.getresponse()
        body = response.read()
        took_ms = (time.perf_counter() - begun) * 1000
        if response.status != 200:
            raise SystemExit(f"{operation}: {response.status} {body.decode()}")
        return took_ms


def _fill(moorage: Moorage, *, configs: int, endpoints: int) -> None:
    iam, s3, sagemaker = moorage.client("iam"), moorage.client("s3"), moorage.client("sagemaker")
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


def _measure(moorage: Moorage, *, configs: int, endpoints: int, rounds: int) -> None:
    draw = random.Random(1)
    cases: list[tuple[str, Callable[[], dict[str, Any]]]] = [
        ("ListEndpointConfigs", lambda: {"MaxResults": 100}),
        ("ListEndpointConfigs", lambda: {"SortBy": "Name", "NameContains": str(draw.randrange(configs))}),
        ("ListEndpoints", lambda: {"MaxResults": 100}),
        ("ListEndpoints", lambda: {"SortBy": "Status", "StatusEquals": "Failed"}),
        ("DescribeEndpointConfig", lambda: {"EndpointConfigName": f"{NAME}-{draw.randrange(configs)}"}),
        ("DescribeEndpoint", lambda: {"EndpointName": f"{NAME}-{draw.randrange(endpoints)}"}),
    ]
    for operation, make_request in cases:
        moorage.time_ms(operation, make_request())
        times_ms = sorted(moorage.time_ms(operation, make_request()) for _ in range(rounds))
        p99 = times_ms[int(len(times_ms) * 0.99)]
        verdict = "ok" if p99 <= GOAL_MS else f"above the goal of {GOAL_MS:.0f} ms"
        title = f"{operation} {', '.join(make_request())}"
        print(f"{title:45} p50 {statistics.median(times_ms):6.2f} ms   p99 {p99:6.2f} ms   {verdict}")


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

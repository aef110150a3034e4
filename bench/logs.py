"""How soon a line is there that a model prints, and how fast logs are put and searched.

    python bench/logs.py [--lines 100] [--megabytes 64]

A model prints the time, and the time is looked at again when FilterLogEvents, asked over and over, or Live Tail, which
sends what there is once a second, has brought the line. Then batches of a thousand lines are put into a stream, and all
of it is searched, a pattern of each kind at a time, page by page through the real API. What boto3 takes is in the
figures.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import boto3
from botocore.config import Config

from moorage.testing.deployment import Deployer
from moorage.testing.models import script_archive
from moorage.testing.server import RunningMoorage

ENDPOINT: Final = "talker"
GROUP: Final = f"/aws/sagemaker/Endpoints/{ENDPOINT}"
OWN: Final = {"logGroupName": "/bench", "logStreamName": "lines"}
BATCH: Final = 1000
SCRIPT: Final = """
import time
def model_fn(folder):
    return 1
def transform_fn(model, body, content_type, accept):
    print(f"said {time.monotonic_ns()}")
    return "said", "text/plain"
"""
PATTERNS: Final = {
    "everything": "",
    "a term": "ERROR",
    "a regular expression": r"%latency..\s9\d\d%",
    "JSON": '{ $.level = "ERROR" && $.latency > 900 }',
    "fields": "[..., last = *990*]",
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=100)
    parser.add_argument("--megabytes", type=int, default=64)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = RunningMoorage(Path(folder) / "data")
        server.start()
        try:
            deployer = Deployer(server)
            deployer.deploy(ENDPOINT, script_archive(SCRIPT))
            print("from print to the caller, ms")
            _print_delays("FilterLogEvents, polled", _polled(server, deployer, options.lines))
            _print_delays("Live Tail", _tailed(server, deployer, min(options.lines, 30)))
            _throughput(server.client("logs"), options.megabytes)
        finally:
            server.stop()


def _print_delays(name: str, delays: Sequence[float]) -> None:
    ordered = sorted(delays)
    p99 = ordered[int(len(ordered) * 0.99)]
    print(f"  {name:32}p50 {statistics.median(ordered):8.1f}   p99 {p99:8.1f}   max {ordered[-1]:8.1f}")


def _polled(server: RunningMoorage, deployer: Deployer, lines: int) -> list[float]:
    logs, delays = server.client("logs"), []
    since_ms = int(time.time() * 1000)
    for number in range(lines):
        deployer.invoke(ENDPOINT, b"", ContentType="text/plain")
        found: list[Any] = []
        while len(found) <= number:
            found = logs.filter_log_events(logGroupName=GROUP, startTime=since_ms, filterPattern="said")["events"]
        delays.append(_delay_ms(found[-1]["message"]))
    return delays


def _tailed(server: RunningMoorage, deployer: Deployer, lines: int) -> list[float]:
    key = server.environment()
    client = boto3.client(
        "logs",
        endpoint_url=server.endpoint_url,
        region_name=server.region,
        aws_access_key_id=key["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=key["AWS_SECRET_ACCESS_KEY"],
        config=Config(inject_host_prefix=False),
    )
    (group,) = client.describe_log_groups(logGroupNamePrefix=GROUP)["logGroups"]
    answer = client.start_live_tail(logGroupIdentifiers=[group["logGroupArn"]], logEventFilterPattern="said")
    delays: list[float] = []
    with contextlib.closing(answer["responseStream"]) as events:
        speaker = threading.Thread(target=_say, args=(deployer, lines))
        speaker.start()
        for event in events:
            results = event.get("sessionUpdate", {}).get("sessionResults", ())
            delays += [_delay_ms(result["message"]) for result in results]
            if len(delays) >= lines:
                break
        speaker.join()
    return delays


def _say(deployer: Deployer, lines: int) -> None:
    for _ in range(lines):
        time.sleep(0.13)
        deployer.invoke(ENDPOINT, b"", ContentType="text/plain")


def _delay_ms(message: str) -> float:
    return (time.monotonic_ns() - int(message.split()[-1])) / 1e6


def _throughput(logs: Any, megabytes: int) -> None:
    logs.create_log_group(logGroupName=OWN["logGroupName"])
    logs.create_log_stream(**OWN)
    batch = _batch()
    batch_bytes = sum(len(event["message"]) for event in batch)
    batches = (megabytes << 20) // batch_bytes
    total_mb = batches * batch_bytes / 1e6
    began = time.monotonic()
    for _ in range(batches):
        logs.put_log_events(**OWN, logEvents=batch)
    took = time.monotonic() - began
    print(f"{total_mb:.0f} MB of lines of {batch_bytes // BATCH} bytes, a thousand in a batch")
    print(f"  {'put':32}{total_mb / took:8.1f} MB/s {batches * BATCH / took:10,.0f} lines/s")
    for name, pattern in PATTERNS.items():
        began = time.monotonic()
        found = _search(logs, pattern)
        took = time.monotonic() - began
        print(f"  {'searched for ' + name:32}{total_mb / took:8.1f} MB/s {found:10,} found")


def _batch() -> list[dict[str, Any]]:
    now_ms = int(time.time() * 1000)
    lines = ({"level": "ERROR" if n % 50 == 0 else "INFO", "request": f"{n:032x}", "latency": n} for n in range(BATCH))
    return [{"timestamp": now_ms, "message": json.dumps(line)} for line in lines]


def _search(logs: Any, pattern: str) -> int:
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=OWN["logGroupName"], filterPattern=pattern)
    return sum(len(page["events"]) for page in pages)


if __name__ == "__main__":
    main()

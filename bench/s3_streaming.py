"""How fast 100 MB go up to S3 and come down, and how much memory the server takes for it.

    python bench/s3_streaming.py [--mebibytes 100]

The server is a process of its own on loopback; the client is boto3 with its defaults, which uploads and downloads in
parts of 8 MiB on ten threads, and then in one request each.
"""

from __future__ import annotations

import argparse
import io
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import boto3

from moorage.testing.asgi_client import KEY_ID, SECRET
from moorage.testing.s3_server import running_s3

MIB = 1024 * 1024


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mebibytes", type=int, default=100)
    size = parser.parse_args().mebibytes * MIB
    ours, theirs = multiprocessing.Pipe()
    with tempfile.TemporaryDirectory() as folder:
        server = multiprocessing.get_context("spawn").Process(target=serve, args=(Path(folder), theirs))
        server.start()
        try:
            assert server.pid is not None
            measure(ours.recv(), server.pid, size)
        finally:
            ours.send("stop")
            server.join()


def serve(folder: Path, control: Connection) -> None:
    """The server process: tells its endpoint, and serves until told to stop."""
    with running_s3(folder) as endpoint:
        control.send(endpoint)
        control.recv()


def measure(endpoint: str, server: int, size: int) -> None:
    """Print each transfer's time and rate, and the server's peak memory after it."""
    s3 = boto3.client(
        "s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id=KEY_ID, aws_secret_access_key=SECRET
    )
    s3.create_bucket(Bucket="bench")
    s3.put_object(Bucket="bench", Key="warm-up", Body=b"")
    data = os.urandom(size)
    print(f"{'idle':34}{'':24}{_peak_rss_mib(server):7.0f} MiB peak")
    sealings: dict[str, dict[str, str]] = {"plain": {}, "encrypted": {"ServerSideEncryption": "AES256"}}
    for sealing, extra in sealings.items():
        transfers: dict[str, Callable[[], Any]] = {
            "upload in parts": partial(_upload_parts, s3, data, extra),
            "download in parts": lambda: s3.download_fileobj("bench", "k", io.BytesIO()),
            "upload in one request": partial(s3.put_object, Bucket="bench", Key="k", Body=data, **extra),
            "download in one request": lambda: _read_whole(s3),
        }
        for name, transfer in transfers.items():
            begun = time.monotonic()
            transfer()
            took = time.monotonic() - begun
            rate = size / MIB / took
            print(f"{sealing + ', ' + name:34}{took:8.2f} s {rate:8.0f} MiB/s {_peak_rss_mib(server):7.0f} MiB peak")


def _upload_parts(s3: Any, data: bytes, extra: dict[str, str]) -> None:
    s3.upload_fileobj(io.BytesIO(data), "bench", "k", ExtraArgs=extra)


def _read_whole(s3: Any) -> None:
    s3.get_object(Bucket="bench", Key="k")["Body"].read()


def _peak_rss_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()

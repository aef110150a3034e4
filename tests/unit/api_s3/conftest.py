"""boto3 on the S3 service, in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from moorage.api.s3.service import S3
from moorage.api.server import Api
from moorage.objects.store import open_object_store
from moorage.system.clock import SystemClock
from moorage.testing.asgi_client import InProcess, root_key_ring
from moorage.testing.memory_folder import memory_folder


@pytest.fixture
def aws() -> Iterator[InProcess]:
    """A Moorage with S3 alone and a bucket, `attic`."""
    clock = SystemClock()
    with memory_folder() as folder, asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        store = runner.run(open_object_store(folder / "objects", key_path=folder / "key", clock=clock))
        with InProcess(Api([S3(store, token_key=b"k" * 32)], root_key_ring, clock=clock)) as in_process:
            in_process.client("s3").create_bucket(Bucket="attic")
            yield in_process
        runner.run(store.close())


@pytest.fixture
def s3(aws: InProcess) -> Any:
    """A client with boto3's defaults."""
    return aws.client("s3")

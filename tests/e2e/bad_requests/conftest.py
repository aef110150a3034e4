"""One Moorage for everything that is done wrong to it, and the check that every refusal has to pass."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Final

import pytest

from moorage.testing.deployment import Deployer
from moorage.testing.models import script_archive
from moorage.testing.raw_caller import Heard, RawCaller
from moorage.testing.server import RunningMoorage

MODEL: Final = """
import json, os
def model_fn(folder):
    return None
def transform_fn(model, data, content_type, accept):
    said = data if isinstance(data, str) else data.decode()
    kind, _, rest = said.partition(":")
    if kind == "raise":
        raise RuntimeError(rest)
    if kind == "exit":
        os._exit(3)
    if kind == "bytes":
        return b"x" * int(rest), "application/octet-stream"
    if kind == "type":
        return b"x", json.loads(rest)
    return said, "text/plain"
"""


@pytest.fixture(scope="session")
def abused(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningMoorage]:
    server = RunningMoorage(tmp_path_factory.mktemp("bad") / "data")
    server.start()
    deployer = Deployer(server)
    assert "InService" == deployer.deploy("bad", script_archive(MODEL))
    deployer.s3.create_bucket(Bucket="bucket")
    yield server
    server.stop()
    assert [] == server.processes()
    assert "a bug of ours" not in (server.data_dir / "moorage.log").read_text()


@pytest.fixture
def caller(abused: RunningMoorage) -> RawCaller:
    return RawCaller(abused)


@pytest.fixture
def ask(abused: RunningMoorage, caller: RawCaller) -> Callable[[bytes], Heard]:
    """Ask, and check what holds for every refusal."""

    def ask(request: bytes) -> Heard:
        heard = caller.ask(request)
        assert {"x-amzn-requestid", "x-amz-request-id"} & heard.fields.keys()
        for secret in (b"Traceback", os.fsencode(abused.data_dir), caller.secret.encode(), b"site-packages"):
            assert secret not in heard.body
        return heard

    return ask

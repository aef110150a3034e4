"""The aws CLI's own S3 commands, unchanged, against a real server."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from moorage.testing.asgi_client import KEY_ID, SECRET
from moorage.testing.s3_server import running_s3

Aws = Callable[..., str]

pytestmark = pytest.mark.slow


@pytest.fixture
def aws(tmp_path: Path) -> Iterator[Aws]:
    """Runs `aws` with these arguments and answers what it prints; fails if it does."""
    with running_s3(tmp_path / "server") as endpoint:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ACCESS_KEY_ID": KEY_ID,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": "us-east-1",
        }

        def run(*arguments: str) -> str:
            command = [sys.executable, str(Path(sys.executable).with_name("aws")), *arguments]
            done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
            assert 0 == done.returncode, done.stderr
            return done.stdout

        yield run


def test_a_day_with_the_cli(aws: Aws, tmp_path: Path) -> None:
    data = hashlib.shake_128(b"seed").digest(20 * 1024 * 1024 + 3)
    (tmp_path / "model.tar.gz").write_bytes(data)
    folder = tmp_path / "folder"
    (folder / "sub").mkdir(parents=True)
    (folder / "ä b.txt").write_text("1")
    (folder / "sub" / "c").write_text("2")

    aws("s3", "mb", "s3://attic")
    aws("s3", "cp", "model.tar.gz", "s3://attic/models/v1/model.tar.gz", "--sse", "AES256")
    assert "20971523 model.tar.gz" in aws("s3", "ls", "s3://attic/models/v1/")
    aws("s3", "cp", "s3://attic/models/v1/model.tar.gz", "back.tar.gz")
    assert data == (tmp_path / "back.tar.gz").read_bytes()
    assert 2 == aws("s3", "sync", "folder", "s3://attic/folder").count("upload:")
    assert "" == aws("s3", "sync", "folder", "s3://attic/folder")
    aws("s3", "cp", "--recursive", "s3://attic/folder", "s3://attic/copy")
    assert "ä b.txt" in aws("s3", "ls", "s3://attic/copy/")
    url = aws("s3", "presign", "s3://attic/copy/sub/c").strip()
    with urllib.request.urlopen(url) as answer:
        assert b"2" == answer.read()
    aws("s3", "rm", "--recursive", "s3://attic")
    aws("s3", "rb", "s3://attic")
    assert "" == aws("s3", "ls")

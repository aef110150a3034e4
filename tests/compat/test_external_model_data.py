"""Model data in somebody else's S3: a second server of ours plays it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from moorage.objects.external_endpoint import ExternalEndpoint
from moorage.objects.external_source import ExternalSource
from moorage.objects.model_sources import Changed, Unreachable, Unreadable
from moorage.objects.model_urls import ObjectLocation
from moorage.testing.asgi_client import KEY_ID, SECRET
from moorage.testing.s3_server import running_s3

LOCATION = ObjectLocation("lake", "models/model.tar.gz")
DATA = hashlib.shake_128(b"seed").digest(3_000_000)


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExternalEndpoint]:
    """An endpoint with the one object in it."""
    with running_s3(tmp_path_factory.mktemp("external")) as url:
        client = boto3.client(
            "s3",
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id=KEY_ID,
            aws_secret_access_key=SECRET,
        )
        client.create_bucket(Bucket=LOCATION.bucket)
        client.put_object(Bucket=LOCATION.bucket, Key=LOCATION.key, Body=DATA)
        client.close()
        yield ExternalEndpoint(
            endpoint_url=url,
            region="us-east-1",
            access_key_id=KEY_ID,
            secret_access_key=SECRET,
            addressing_style="path",
        )


async def test_an_object_is_fetched_as_it_is(endpoint: ExternalEndpoint, tmp_path: Path) -> None:
    source = ExternalSource(endpoint)
    etag = await source.etag(LOCATION)
    assert hashlib.md5(DATA).hexdigest() == etag
    assert hashlib.sha256(DATA).hexdigest() == await source.download(LOCATION, etag, tmp_path / "file")
    assert DATA == (tmp_path / "file").read_bytes()
    with pytest.raises(Changed):
        await source.download(LOCATION, "0" * 32, tmp_path / "other")
    await source.close()


async def test_what_is_not_there_or_not_ours_is_unreadable(endpoint: ExternalEndpoint) -> None:
    source = ExternalSource(endpoint)
    for location in (ObjectLocation("lake", "none"), ObjectLocation("sea", "model")):
        with pytest.raises(Unreadable, match="does not exist"):
            await source.etag(location)
    await source.close()


async def test_an_endpoint_that_is_away_is_unreachable() -> None:
    away = ExternalEndpoint(
        endpoint_url="http://127.0.0.1:1", region="us-east-1", access_key_id="A", secret_access_key="s", attempts_max=1
    )
    source = ExternalSource(away)
    with pytest.raises(Unreachable):
        await source.etag(LOCATION)
    await source.close()

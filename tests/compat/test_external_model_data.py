"""Model data in somebody else's S3: a second server of ours plays it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import boto3
import pytest

from moorage.objects.download import Abandoned, Download
from moorage.objects.external_endpoint import ExternalEndpoint
from moorage.objects.external_source import ExternalSource
from moorage.objects.model_sources import Changed, FoundObject, Unreachable, Unreadable
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
        for number in range(1001):
            client.put_object(Bucket=LOCATION.bucket, Key=f"many/{number:04}", Body=b"")
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
    found = await source.look(LOCATION)
    assert FoundObject(LOCATION, hashlib.md5(DATA).hexdigest(), len(DATA)) == found
    with Download(tmp_path / "file") as download:
        await source.download(found, download)
        assert hashlib.sha256(DATA).hexdigest() == download.sha256
    assert DATA == (tmp_path / "file").read_bytes()
    with Download(tmp_path / "other") as download, pytest.raises(Changed):
        await source.download(replace(found, etag="0" * 32), download)
    await source.close()


@pytest.mark.parametrize("come", [1, len(DATA) - 1, len(DATA)])
async def test_a_download_goes_on_where_it_broke_off(endpoint: ExternalEndpoint, tmp_path: Path, come: int) -> None:
    source = ExternalSource(endpoint)
    found = await source.look(LOCATION)
    with Download(tmp_path / "file") as download:
        download.write(DATA[:come])
        await source.download(found, download)
    assert DATA == (tmp_path / "file").read_bytes()
    await source.close()


async def test_a_download_that_nobody_wants_any_more_ends(endpoint: ExternalEndpoint, tmp_path: Path) -> None:
    source = ExternalSource(endpoint)
    found = await source.look(LOCATION)
    with Download(tmp_path / "file") as download:
        download.abandon()
        with pytest.raises(Abandoned):
            await source.download(found, download)
    await source.close()


async def test_objects_below_a_prefix_are_listed_over_pages(endpoint: ExternalEndpoint) -> None:
    source = ExternalSource(endpoint)
    keys = [f"many/{number:04}" for number in range(1001)]
    lake = ObjectLocation("lake", "many/")
    assert keys == [found.location.key for found in await source.list(lake, limit=2000)]
    assert keys[:3] == [found.location.key for found in await source.list(lake, limit=3)]
    assert [LOCATION.key] == [found.location.key for found in await source.list(ObjectLocation("lake", "mo"), limit=9)]
    assert [] == await source.list(ObjectLocation("lake", "none/"), limit=9)
    with pytest.raises(Unreadable, match="does not exist"):
        await source.list(ObjectLocation("sea", "many/"), limit=1)
    await source.close()


async def test_what_is_not_there_or_not_ours_is_unreadable(endpoint: ExternalEndpoint) -> None:
    source = ExternalSource(endpoint)
    for location in (ObjectLocation("lake", "none"), ObjectLocation("sea", "model")):
        with pytest.raises(Unreadable, match="does not exist"):
            await source.look(location)
    await source.close()


async def test_an_endpoint_that_is_away_is_unreachable() -> None:
    away = ExternalEndpoint(
        endpoint_url="http://127.0.0.1:1", region="us-east-1", access_key_id="A", secret_access_key="s", attempts_max=1
    )
    source = ExternalSource(away)
    with pytest.raises(Unreachable):
        await source.look(LOCATION)
    await source.close()

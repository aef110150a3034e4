"""What every place that model data is read from must do: our own object store, and an S3 elsewhere, played by ours."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from moorage.objects.download import Abandoned, Download
from moorage.objects.external_endpoint import ExternalEndpoint
from moorage.objects.external_source import ExternalSource
from moorage.objects.intake import Payload
from moorage.objects.model_sources import (
    Changed,
    EmbeddedSource,
    FoundObject,
    ModelSource,
    Unreachable,
    Unreadable,
)
from moorage.objects.model_urls import ObjectLocation
from moorage.objects.store import open_object_store
from moorage.system.clock import SystemClock
from moorage.testing.asgi_client import KEY_ID, SECRET
from moorage.testing.s3_server import running_s3

LOCATION = ObjectLocation("lake", "models/model.tar.gz")
DATA = hashlib.shake_128(b"seed").digest(3_000_000)
OBJECTS = {LOCATION.key: DATA, **{f"many/{number:04}": b"" for number in range(1001)}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a store with the objects in it."""
    folder = tmp_path_factory.mktemp("embedded")

    async def fill() -> None:
        store = await open_object_store(folder / "objects", key_path=folder / "key", clock=SystemClock())
        await store.buckets.create("lake", region="us-east-1")
        await asyncio.gather(*(store.objects.put("lake", key, payload=Payload(data)) for key, data in OBJECTS.items()))
        await store.close()

    asyncio.run(fill())
    return folder


@pytest.fixture(scope="module")
def endpoint(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExternalEndpoint]:
    """Of a server with the same objects."""
    copy = tmp_path_factory.mktemp("external") / "copy"
    shutil.copytree(folder, copy)
    with running_s3(copy) as url:
        yield ExternalEndpoint(
            endpoint_url=url,
            region="us-east-1",
            access_key_id=KEY_ID,
            secret_access_key=SECRET,
            addressing_style="path",
        )


async def embedded(folder: Path) -> AsyncIterator[ModelSource]:
    store = await open_object_store(folder / "objects", key_path=folder / "key", clock=SystemClock())
    yield EmbeddedSource(store)
    await store.close()


async def external(endpoint: ExternalEndpoint) -> AsyncIterator[ModelSource]:
    source = ExternalSource(endpoint)
    yield source
    await source.close()


@pytest.fixture(params=["embedded", "external"])
async def source(
    request: pytest.FixtureRequest, folder: Path, endpoint: ExternalEndpoint
) -> AsyncIterator[ModelSource]:
    kept = embedded(folder) if request.param == "embedded" else external(endpoint)
    async for opened in kept:
        yield opened


async def test_an_object_is_fetched_as_it_is(source: ModelSource, tmp_path: Path) -> None:
    assert await source.has_bucket("lake")
    found = await source.look(LOCATION)
    assert FoundObject(LOCATION, hashlib.md5(DATA).hexdigest(), len(DATA)) == found
    with Download(tmp_path / "file") as download:
        await source.download(found, download)
        assert hashlib.sha256(DATA).hexdigest() == download.sha256
    assert DATA == (tmp_path / "file").read_bytes()


async def test_another_version_than_the_one_seen_is_not_fetched(source: ModelSource, tmp_path: Path) -> None:
    found = await source.look(LOCATION)
    with Download(tmp_path / "file") as download, pytest.raises(Changed):
        await source.download(replace(found, etag="0" * 32), download)


@pytest.mark.parametrize("come", [0, 1, len(DATA) - 1, len(DATA)])
async def test_a_download_goes_on_where_it_broke_off(source: ModelSource, tmp_path: Path, come: int) -> None:
    found = await source.look(LOCATION)
    with Download(tmp_path / "file") as download:
        download.write(DATA[:come])
        await source.download(found, download)
        assert hashlib.sha256(DATA).hexdigest() == download.sha256
    assert DATA == (tmp_path / "file").read_bytes()


async def test_an_object_of_nothing_is_fetched(source: ModelSource, tmp_path: Path) -> None:
    found = await source.look(ObjectLocation("lake", "many/0000"))
    with Download(tmp_path / "file") as download:
        await source.download(found, download)
    assert b"" == (tmp_path / "file").read_bytes()


async def test_a_download_that_nobody_wants_any_more_ends(source: ModelSource, tmp_path: Path) -> None:
    found = await source.look(LOCATION)
    with Download(tmp_path / "file") as download:
        download.abandon()
        with pytest.raises(Abandoned):
            await source.download(found, download)


async def test_objects_below_a_prefix_are_listed_over_pages(source: ModelSource) -> None:
    keys = [key for key in OBJECTS if key.startswith("many/")]
    many = ObjectLocation("lake", "many/")
    assert keys == [found.location.key for found in await source.list(many, limit=2000)]
    assert keys[:3] == [found.location.key for found in await source.list(many, limit=3)]
    assert [await source.look(LOCATION)] == list(await source.list(ObjectLocation("lake", "mo"), limit=9))
    assert [] == list(await source.list(ObjectLocation("lake", "none/"), limit=9))
    assert len(OBJECTS) == len(await source.list(ObjectLocation("lake", ""), limit=2000))


async def test_what_is_not_there_is_unreadable(source: ModelSource, tmp_path: Path) -> None:
    gone = FoundObject(ObjectLocation("lake", "none"), "0" * 32, 1)
    sea = ObjectLocation("sea", "model")
    with Download(tmp_path / "file") as download:
        asks: list[Callable[[], Any]] = [
            lambda: source.look(gone.location),
            lambda: source.look(sea),
            lambda: source.list(sea, limit=1),
            lambda: source.download(gone, download),
        ]
        for ask in asks:
            with pytest.raises(Unreadable, match="does not exist"):
                await ask()


async def test_an_endpoint_that_is_away_is_unreachable() -> None:
    away = ExternalEndpoint(
        endpoint_url="http://127.0.0.1:1", region="us-east-1", access_key_id="A", secret_access_key="s", attempts_max=1
    )
    async for source in external(away):
        with pytest.raises(Unreachable):
            await source.look(LOCATION)
        with pytest.raises(Unreachable):
            await source.list(LOCATION, limit=1)

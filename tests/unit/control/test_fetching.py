"""What an instance's containers need of model data: all of it at once, with patience, within the time there is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from moorage.control.fetching import FETCH_ATTEMPTS_MAX, Fetcher, Say, code_of
from moorage.core.faults import ModelDataUnusable
from moorage.core.model import Container, DataChannel, DataForm, ModelData, Variant
from moorage.runners.base import ContainerFiles, ModelFile, ModelFiles
from moorage.testing.virtual_clock import LoopClock

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

MODEL = ModelData("s3://b/model.tar.gz")
WEIGHTS = ModelData("s3://b/weights/", DataForm.PREFIX)
SOURCE_DIR = "s3://b/sourcedir.tar.gz"


class Place:
    """Where everything is fetched from. `faults` are raised one after another, of each URI; `slow` takes an hour."""

    def __init__(self) -> None:
        self.faults: dict[str, list[Exception]] = {}
        self.slow: set[str] = set()
        self.asked: list[str] = []
        self.cancelled: list[str] = []
        self.said: list[str] = []

    async def fetch(self, data: ModelData, say: Say | None = None) -> ModelFiles:
        self.asked.append(data.uri)
        if data.uri in self.slow:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                self.cancelled.append(data.uri)
                raise
        if self.faults.get(data.uri):
            raise self.faults[data.uri].pop(0)
        return files_of(data)

    async def say(self, text: str) -> None:
        self.said.append(text)

    async def fetch_all(self, *containers: Container, timeout_s: float = 60.0) -> tuple[ContainerFiles, ...]:
        variant = Variant("AllTraffic", "m", containers, "ml.m5.large", 1, download_timeout_s=timeout_s)
        return await Fetcher(self.fetch, LoopClock()).fetch_all(variant, self.say)


def files_of(data: ModelData) -> ModelFiles:
    return ModelFiles(data.form, data.uri, (ModelFile("file", Path("/file")),))


@pytest.fixture
def place() -> Place:
    return Place()


async def test_each_container_gets_what_is_its_own(place: Place) -> None:
    first = Container("image", MODEL, {"SAGEMAKER_SUBMIT_DIRECTORY": SOURCE_DIR})
    second = Container("image", channels=(DataChannel("a", WEIGHTS), DataChannel("b", MODEL)))
    assert (
        ContainerFiles(files_of(MODEL), (), files_of(ModelData(SOURCE_DIR))),
        ContainerFiles(None, (("a", files_of(WEIGHTS)), ("b", files_of(MODEL)))),
        ContainerFiles(),
    ) == await place.fetch_all(first, second, Container("image"))


async def test_a_multi_model_container_asks_for_its_models_later(place: Place) -> None:
    many = Container("image", ModelData("s3://b/models/", DataForm.PREFIX), is_multi_model=True)
    assert (ContainerFiles(),) == await place.fetch_all(many)
    assert [] == place.asked


@pytest.mark.parametrize("folder", ["/opt/ml/model/code", "file:///opt/ml/code", ""])
async def test_code_that_is_not_in_s3_is_not_fetched(folder: str) -> None:
    assert code_of(Container("image", environment={"SAGEMAKER_SUBMIT_DIRECTORY": folder})) is None


async def test_what_may_pass_is_tried_again_and_said(place: Place) -> None:
    place.faults[MODEL.uri] = [ConnectionError("reset")] * (FETCH_ATTEMPTS_MAX - 1)
    await place.fetch_all(Container("image", MODEL))
    assert [MODEL.uri] * FETCH_ATTEMPTS_MAX == place.asked
    assert ["fetching s3://b/model.tar.gz: reset; trying again"] * (FETCH_ATTEMPTS_MAX - 1) == place.said


async def test_what_does_not_pass_is_given_up(place: Place) -> None:
    place.faults[MODEL.uri] = [ConnectionError("reset")] * FETCH_ATTEMPTS_MAX
    with pytest.raises(ModelDataUnusable, match=r"The model data at s3://b/model.tar.gz could not be fetched: reset"):
        await place.fetch_all(Container("image", MODEL))


@pytest.mark.parametrize(
    "put",
    [
        lambda data: Container("image", data),
        lambda data: Container("image", MODEL, channels=(DataChannel("a", data),)),
        lambda data: Container("image", MODEL, {"SAGEMAKER_SUBMIT_DIRECTORY": data.uri}),
    ],
    ids=["model", "channel", "code"],
)
async def test_the_time_there_is_holds_for_every_source_which_is_named(
    place: Place, put: Callable[[ModelData], Container]
) -> None:
    late = ModelData("s3://b/late.tar.gz")
    place.slow.add(late.uri)
    with pytest.raises(ModelDataUnusable, match=r"at s3://b/late.tar.gz could not be fetched within 60 s"):
        await place.fetch_all(Container("image", WEIGHTS), put(late))
    assert 61 > LoopClock().monotonic()


async def test_the_first_fault_ends_what_else_is_being_fetched(place: Place) -> None:
    place.slow.add(WEIGHTS.uri)
    place.faults[MODEL.uri] = [ModelDataUnusable("There is none.")]
    with pytest.raises(ModelDataUnusable, match=r"There is none\."):
        await place.fetch_all(Container("image", WEIGHTS), Container("image", MODEL))
    assert [WEIGHTS.uri] == place.cancelled

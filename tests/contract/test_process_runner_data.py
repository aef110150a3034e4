"""Model data in the hands of a real agent: loose files, channels and code, over instances and agents."""

from __future__ import annotations

import asyncio
import hashlib
import http.client
import json
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from moorage.core.model import (
    Container,
    DataForm,
    EndpointKey,
    InstanceSpec,
    InstanceState,
    ModelData,
    Variant,
    instance_id,
)
from moorage.runners.base import ContainerFiles, ModelFile, ModelFiles
from moorage.testing.agent import RunningAgent
from moorage.testing.models import SKLEARN_IMAGE
from moorage.testing.runner_suite import reach

READS = """
import json, os

def model_fn(folder):
    return [open(os.path.join(folder, "weights.txt")).read(), open(os.environ["SM_CHANNEL_WORDS"] + "/w.txt").read()]

def transform_fn(model, data, content_type, accept):
    return json.dumps(model)
"""


@pytest.fixture
def agent() -> Iterator[RunningAgent]:
    path = Path(tempfile.mkdtemp(prefix="moorage-"))  # pytest's own are too long for sockets
    agent = RunningAgent(path)
    agent.start()
    yield agent
    agent.shut_down()
    assert [] == agent.descendants()
    shutil.rmtree(path)


@pytest.fixture
def files(tmp_path: Path) -> tuple[ContainerFiles, ...]:
    contents = {"weights.txt": "heavy", "code/inference.py": READS, "odd/\\ schön\n日本.txt": "odd"}
    model = loose(tmp_path / "model", contents)
    words = loose(tmp_path / "words", {"w.txt": "iris"})
    return (ContainerFiles(model, (("words", words),)),)


def loose(folder: Path, contents: dict[str, str]) -> ModelFiles:
    folder.mkdir()
    found = []
    for number, (name, text) in enumerate(contents.items()):
        path = folder / str(number)
        path.write_text(text)
        path.chmod(0o444)
        found.append(ModelFile(name, path))
    return ModelFiles(DataForm.PREFIX, hashlib.sha256(repr(contents).encode()).hexdigest(), tuple(found))


def spec_of(ordinal: int) -> InstanceSpec:
    container = Container(SKLEARN_IMAGE, ModelData("s3://models/iris/", DataForm.PREFIX))
    return InstanceSpec(
        id=instance_id("uid", 1, "AllTraffic", ordinal),
        endpoint=EndpointKey("eu-west-1", "iris"),
        uid="uid",
        generation=1,
        ordinal=ordinal,
        variant=Variant("AllTraffic", "iris", (container,), "ml.m5.large", 2),
    )


def answer_of(address: str | None) -> Any:
    connection = http.client.HTTPConnection("instance")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(str(address))
    connection.request("POST", "/invocations", b"{}", {"Content-Type": "application/json"})
    answer = json.loads(connection.getresponse().read())
    connection.close()
    return answer


def kept(agent: RunningAgent) -> list[str]:
    return sorted(path.name for path in agent.settings.models_dir.iterdir() if path.is_dir())


async def test_instances_share_the_folders_of_a_model_and_its_channels(
    agent: RunningAgent, files: tuple[ContainerFiles, ...]
) -> None:
    runner, digests = agent.runner(), sorted(one.digest for one in files[0].all)
    for ordinal in range(2):
        await runner.launch(spec_of(ordinal), files)
        ready = await reach(runner, spec_of(ordinal).id, InstanceState.READY)
        assert ["heavy", "iris"] == answer_of(ready.address)
    assert digests == kept(agent)
    await runner.stop(spec_of(0).id)
    assert digests == kept(agent)
    await runner.stop(spec_of(1).id)
    assert [] == kept(agent)


async def test_model_data_of_an_instance_that_stands_by_is_kept_and_used_again(
    agent: RunningAgent, files: tuple[ContainerFiles, ...]
) -> None:
    runner, spec, digests = agent.runner(), spec_of(0), sorted(one.digest for one in files[0].all)
    await runner.stand_by(spec)
    await runner.launch(spec, files)
    await reach(runner, spec.id, InstanceState.READY)
    await runner.stand_by(spec)
    folders = {path.name: path.stat().st_ino for path in agent.settings.models_dir.iterdir() if path.is_dir()}
    await runner.stop(spec.id)
    await runner.stand_by(spec)
    assert digests == kept(agent)
    await runner.launch(spec, files)
    ready = await reach(runner, spec.id, InstanceState.READY)
    assert ["heavy", "iris"] == answer_of(ready.address)
    assert folders == {path.name: path.stat().st_ino for path in agent.settings.models_dir.iterdir() if path.is_dir()}
    await runner.stop(spec.id)


async def test_what_nobody_says_stands_by_any_more_is_removed(files: tuple[ContainerFiles, ...]) -> None:
    path = Path(tempfile.mkdtemp(prefix="moorage-"))
    agent = RunningAgent(path, nursery_idle_s=0.5, watch_interval_s=0.1)
    agent.start()
    runner = agent.runner()
    await runner.launch(spec_of(0), files)
    await reach(runner, spec_of(0).id, InstanceState.READY)
    await runner.stand_by(spec_of(0))
    await runner.stop(spec_of(0).id)
    async with asyncio.timeout(90):
        while kept(agent):
            await asyncio.sleep(0.05)
    agent.shut_down()
    shutil.rmtree(path)


async def test_what_was_brought_may_be_removed_and_the_agent_killed_as_soon_as_it_is_launched(
    agent: RunningAgent, files: tuple[ContainerFiles, ...]
) -> None:
    runner = agent.runner()
    await runner.launch(spec_of(0), files)
    for one in files[0].all:
        for file in one.files:
            file.path.unlink()
    agent.kill()
    agent.start()
    ready = await reach(runner, spec_of(0).id, InstanceState.READY)
    assert ["heavy", "iris"] == answer_of(ready.address)
    await runner.stop(spec_of(0).id)


async def test_a_line_is_noted_before_there_is_an_instance(agent: RunningAgent) -> None:
    spec, runner = spec_of(0), agent.runner()
    await runner.note(spec, "downloading s3://models/iris/: 1.0 GiB of 9.0 GiB")
    log = agent.settings.logs_dir / "eu-west-1" / "iris" / "AllTraffic" / f"{spec.id}.log"
    assert log.read_text().endswith("Z moorage: downloading s3://models/iris/: 1.0 GiB of 9.0 GiB\n")
    assert [] == list(await runner.observe())


async def test_a_note_is_no_reason_to_fail(agent: RunningAgent) -> None:
    agent.kill()
    await agent.runner().note(spec_of(0), "nobody listens")
    agent.start()

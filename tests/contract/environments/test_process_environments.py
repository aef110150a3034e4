"""Instances of a real agent in environments that are built for them."""

from __future__ import annotations

import asyncio
import hashlib
import http.client
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from moorage.core.model import (
    Container,
    DataForm,
    EndpointKey,
    InstanceSpec,
    InstanceState,
    ModelData,
    Observation,
    Variant,
    instance_id,
)
from moorage.runners.base import ContainerFiles, ModelFile, ModelFiles
from moorage.runners.process.client import agent_pid
from moorage.runners.process.environments.source import PackageSource
from moorage.testing import models
from moorage.testing.agent import RunningAgent, is_alive
from moorage.testing.wheels import make_wheel

IMAGE = "moorage/lightgbm:9.9.9"
IDLE_S = 0.5
SCRIPT = """
import lightgbm

try:
    from addition import __version__ as addition
except ImportError:
    addition = "nothing"


def model_fn(folder):
    return f"LightGBM {lightgbm.__version__} with {addition}"


def transform_fn(model, data, content_type, accept):
    return model, "text/plain"
"""


@pytest.fixture
def root() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="moorage-"))  # pytest's own are too long for sockets
    yield path
    shutil.rmtree(path)


@pytest.fixture
def make_agent(root: Path, index: Path, cache: Path, wheels: Path) -> Iterator[Callable[..., RunningAgent]]:
    made: list[RunningAgent] = []

    def make(**changes) -> RunningAgent:
        links = {"find_links": (str(index), str(wheels)), "no_index": True}
        source = PackageSource(cache_dir=str(cache), **changes.pop("source", links))
        made.append(RunningAgent(root, packages=source, watch_interval_s=0.05, **changes))
        made[-1].start()
        return made[-1]

    yield make
    made[-1].shut_down()
    assert [] == made[-1].descendants()


async def launch(agent: RunningAgent, name: str, *, image: str = IMAGE, **files: str) -> InstanceSpec:
    data = models.script_archive(SCRIPT, **{f"code/{file}.txt": text.encode() for file, text in files.items()})
    digest = hashlib.sha256(data).hexdigest()
    path = agent.settings.run_dir.parent / f"{digest}.tar.gz"
    path.write_bytes(data)
    container = Container(image, ModelData("s3://models/model.tar.gz"), {})
    spec = InstanceSpec(
        id=instance_id(name, 1, "AllTraffic", 0),
        endpoint=EndpointKey("eu-west-1", name),
        uid=name,
        generation=1,
        ordinal=0,
        variant=Variant("AllTraffic", name, (container,), "ml.t2.medium", 1),
    )
    model = ModelFiles(DataForm.ARCHIVE, digest, (ModelFile("model.tar.gz", path),))
    await agent.runner().launch(spec, (ContainerFiles(model),))
    return spec


async def settled(agent: RunningAgent, spec: InstanceSpec) -> Observation:
    """The observation once it is no longer starting."""
    async with asyncio.timeout(90):
        while True:
            for found in await agent.runner().observe():
                if found.id == spec.id and found.state is not InstanceState.STARTING:
                    return found
            await asyncio.sleep(0.02)


async def answer(agent: RunningAgent, spec: InstanceSpec) -> str:
    """What it says to an invocation once it is ready."""
    found = await settled(agent, spec)
    assert InstanceState.READY is found.state, (found, log_of(agent, spec))
    connection = http.client.HTTPConnection("instance")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(str(found.address))
    connection.request("POST", "/invocations", b"{}", {"Content-Type": "application/json"})
    response = connection.getresponse()
    body = response.read().decode()
    connection.close()
    assert 200 == response.status, body
    return body


def log_of(agent: RunningAgent, spec: InstanceSpec) -> str:
    key = spec.endpoint
    path = agent.settings.logs_dir / key.region / key.name / spec.variant.name / f"{spec.id}.log"
    return path.read_text() if path.exists() else ""


async def logged(agent: RunningAgent, spec: InstanceSpec, text: str) -> None:
    async with asyncio.timeout(90):
        while text not in log_of(agent, spec):
            await asyncio.sleep(0.01)


def nurseries(agent: RunningAgent) -> list[psutil.Process]:
    pid = agent_pid(agent.settings.socket_path)
    return [child for child in psutil.Process(pid).children() if "moorage.runtime.nursery" in command_of(child)]


def command_of(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:  # it has ended since it was listed
        return ""


async def importing(agent: RunningAgent) -> psutil.Process:
    """The nursery that is about to import its framework, or the process that tries a new environment by that."""
    async with asyncio.timeout(90):
        while not (found := nurseries(agent)):
            await asyncio.sleep(0.01)
    return found[0]


async def test_an_instance_runs_in_the_environment_that_its_log_tells_of(make_agent):
    agent = make_agent()
    spec = await launch(agent, "first")

    assert "LightGBM 9.9.9 with nothing" == await answer(agent, spec)
    log = log_of(agent, spec)
    steps = ["building the environment LightGBM 9.9.9", "installed ", "built the environment", "model loaded"]
    assert steps == sorted(steps, key=log.index)
    assert any(
        line.startswith("LightGBM 9.9.9 on Python") for line in (await agent.runner().describe(spec.id)).diagnostics
    )

    second = await launch(agent, "second")
    assert "LightGBM 9.9.9 with nothing" == await answer(agent, second)
    assert "building" not in log_of(agent, second)
    assert 1 == len(nurseries(agent))


async def test_what_one_model_requires_another_does_not_see(make_agent, wheels):
    make_wheel(wheels, "addition", "1.0", {"addition.py": "__version__ = 'one'\n"})
    make_wheel(wheels, "addition", "2.0", {"addition.py": "__version__ = 'two'\n"})
    agent = make_agent()
    specs = [
        await launch(agent, "none"),
        await launch(agent, "one", requirements="addition==1.0"),
        await launch(agent, "two", requirements="addition"),
    ]

    answers = [await answer(agent, spec) for spec in specs]

    assert [f"LightGBM 9.9.9 with {what}" for what in ("nothing", "one", "two")] == answers
    assert "installing code/requirements.txt" in log_of(agent, specs[1])
    assert 1 == len(nurseries(agent))


async def test_an_instance_of_what_cannot_be_built_fails_and_says_why(make_agent):
    agent = make_agent()
    specs = [
        await launch(agent, "version", image="moorage/lightgbm:8.8.8"),
        await launch(agent, "requirements", requirements="-e ."),
    ]

    found = [await settled(agent, spec) for spec in specs]

    assert [InstanceState.FAILED] * 2 == [one.state for one in found]
    assert "LightGBM 8.8.8 cannot be installed on this machine" in str(found[0].reason)
    assert "requirements.txt asks for '-e .'" in str(found[1].reason)
    assert str(found[0].reason) in log_of(agent, specs[0])


async def test_an_index_that_is_away_is_no_fault_of_the_model(make_agent):
    away = {"index_url": "http://127.0.0.1:9/simple", "variables": {"UV_HTTP_RETRIES": "0"}}
    agent = make_agent(source=away)
    found = await settled(agent, await launch(agent, "away"))

    assert InstanceState.EXITED is found.state
    assert "127.0.0.1:9" in str(found.reason)


async def test_the_next_agent_finishes_what_a_killed_one_was_building(make_agent, wheels, tmp_path):
    gate = tmp_path / "gate"
    gate.touch()
    slow = f"import os, time\nwhile os.path.exists({str(gate)!r}): time.sleep(0.01)\n__version__ = '9.9.9'\n"
    make_wheel(wheels, "lightgbm", "9.9.9", {"lightgbm.py": slow})
    agent = make_agent()
    spec = await launch(agent, "interrupted")
    await logged(agent, spec, "trying the environment")
    helper = await importing(agent)
    agent.kill()
    async with asyncio.timeout(90):
        while is_alive(helper.pid):
            await asyncio.sleep(0.01)
    assert list(agent.settings.environments_dir.glob(".new-*"))
    gate.unlink()

    agent.start()

    assert "LightGBM 9.9.9 with nothing" == await answer(agent, spec)
    assert not list(agent.settings.environments_dir.glob(".new-*"))


async def test_shutting_down_gives_up_what_is_being_built(make_agent, wheels):
    make_wheel(wheels, "lightgbm", "9.9.9", {"lightgbm.py": "import time; time.sleep(600)\n"})
    agent = make_agent()
    spec = await launch(agent, "unfinished")
    await logged(agent, spec, "trying the environment")
    helper = await importing(agent)

    agent.shut_down()

    assert not is_alive(helper.pid)
    assert not list(agent.settings.environments_dir.glob(".new-*"))
    agent.start()


async def test_a_nursery_that_is_killed_while_it_imports_is_started_again(make_agent, wheels, tmp_path):
    """The environment was tried before: there is nothing wrong with what it imports."""
    gate = tmp_path / "gate"
    slow = f"import os, time\nwhile os.path.exists({str(gate)!r}): time.sleep(0.01)\n__version__ = '9.9.9'\n"
    make_wheel(wheels, "lightgbm", "9.9.9", {"lightgbm.py": slow})
    agent = make_agent(nursery_idle_s=IDLE_S)
    first = await launch(agent, "first")
    await answer(agent, first)
    await agent.runner().stop(first.id)
    async with asyncio.timeout(90):
        while nurseries(agent):
            await asyncio.sleep(0.01)
    gate.touch()
    spec = await launch(agent, "second")
    (await importing(agent)).kill()
    gate.unlink()

    assert "LightGBM 9.9.9 with nothing" == await answer(agent, spec)


async def test_a_nursery_is_kept_for_as_long_as_it_has_instances(make_agent):
    agent = make_agent(nursery_idle_s=IDLE_S)
    spec = await launch(agent, "only")
    await answer(agent, spec)
    await asyncio.sleep(IDLE_S + 0.5)
    assert 1 == len(nurseries(agent))

    await agent.runner().stop(spec.id)

    async with asyncio.timeout(90):
        while nurseries(agent):
            await asyncio.sleep(0.01)

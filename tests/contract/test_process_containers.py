"""The process runner with several containers in one instance: all of it is there, or none of it."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import signal
import socket
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from moorage.core.model import (
    Container,
    DataForm,
    EndpointKey,
    ExecutionMode,
    InstanceSpec,
    InstanceState,
    ModelData,
    Observation,
    Variant,
    instance_id,
)
from moorage.runners.base import ContainerFiles, ModelFile, ModelFiles
from moorage.runners.process.client import ProcessRunner
from moorage.testing import models
from moorage.testing.agent import RunningAgent, is_alive, kill
from moorage.testing.runner_suite import reach
from moorage.wire.client import Client

pytest.importorskip("sklearn")

TELLS = """
import os

def model_fn(folder):
    return {name!r}

def transform_fn(model, data, content_type, accept):
    return f"{{data}}>{{model}}({{os.environ.get('WHO')}})", "text/plain"
"""
BREAKS = "def model_fn(folder):\n    raise ValueError('no weights')\n"
NEVER_READY = "import time\ndef model_fn(folder):\n    time.sleep(3600)\n"

Launch = Callable[..., InstanceSpec]
PASSING = {InstanceState.STARTING, InstanceState.UNHEALTHY}


@pytest.fixture
def root() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="moorage-"))  # pytest's own are too long for sockets
    yield path
    shutil.rmtree(path)


@pytest.fixture
def agent(root: Path) -> Iterator[RunningAgent]:
    agent = RunningAgent(root, health_interval_s=0.1, ping_timeout_s=0.5)
    agent.start()
    yield agent
    agent.shut_down()
    assert [] == agent.descendants()


@pytest.fixture(scope="module")
def shared_agent() -> Iterator[RunningAgent]:
    """An agent with a warm nursery, for tests that leave it as they found it."""
    path = Path(tempfile.mkdtemp(prefix="moorage-"))
    agent = RunningAgent(path, health_interval_s=0.1, ping_timeout_s=0.5)
    agent.start()
    yield agent
    agent.shut_down()
    assert [] == agent.descendants()
    shutil.rmtree(path)


@pytest.fixture
async def runner(shared_agent: RunningAgent) -> AsyncIterator[ProcessRunner]:
    runner = shared_agent.runner()
    yield runner
    for left in await runner.observe():
        await runner.stop(left.id)
    settings = shared_agent.settings
    assert [] == [path for path in settings.instances_dir.iterdir() if not path.name.startswith(".agent")]
    assert [] == list(settings.instance_sockets_dir.iterdir())


def spec_of(
    name: str, count: int, *, mode: ExecutionMode = ExecutionMode.SERIAL, startup_timeout_s: float = 30.0
) -> InstanceSpec:
    """An instance of `count` containers, called c1, c2, …"""
    containers = tuple(
        Container(models.SKLEARN_IMAGE, ModelData(f"s3://models/{number}"), {"WHO": f"env{number}"}, name=f"c{number}")
        for number in range(1, count + 1)
    )
    variant = Variant(
        "AllTraffic",
        name,
        containers,
        "ml.m5.large",
        1,
        startup_timeout_s=startup_timeout_s,
        execution_mode=mode,
    )
    uid = f"uid-of-{name}"
    return InstanceSpec(
        id=instance_id(uid, 1, "AllTraffic", 0),
        endpoint=EndpointKey("eu-west-1", name),
        uid=uid,
        generation=1,
        ordinal=0,
        variant=variant,
    )


def files_of(folder: Path, *scripts: str) -> tuple[ContainerFiles, ...]:
    """One archive a container."""
    return tuple(_files(folder, models.script_archive(script)) for script in scripts)


def _files(folder: Path, archive: bytes) -> ContainerFiles:
    digest = hashlib.sha256(archive).hexdigest()
    path = folder / f"{digest}.tar.gz"
    path.write_bytes(archive)
    return ContainerFiles(ModelFiles(DataForm.ARCHIVE, digest, (ModelFile("model.tar.gz", path),)))


def telling(folder: Path, count: int) -> tuple[ContainerFiles, ...]:
    return files_of(folder, *(TELLS.format(name=f"m{number}") for number in range(1, count + 1)))


async def invoke(observation: Observation, body: bytes = b"x", **fields: str) -> tuple[int, bytes]:
    """POST /invocations."""
    assert observation.address is not None
    client = Client()
    headers = [(name.replace("_", "-").encode(), value.encode()) for name, value in fields.items()]
    answer = await client.request(
        observation.address,
        b"POST",
        b"/invocations",
        headers=[(b"Host", b"localhost"), (b"content-type", b"text/plain"), *headers],
        body=body,
    )
    found = answer.status, await answer.read(10_000)
    client.close()
    return found


def pids_of(agent: RunningAgent, spec: InstanceSpec) -> dict[str, int]:
    """The processes of an instance: `front`, `c1`, `c2`, … One that ended before the agent knew it has no lock left."""
    folder = agent.settings.instances_dir / spec.id
    found = {"front": folder / "lock"}
    for number, container in enumerate(spec.variant.containers, 1):
        found[container.name] = folder / "containers" / str(number) / "lock"
    return {name: int(path.read_text().splitlines()[1]) for name, path in found.items() if path.exists()}


async def gone(pids: dict[str, int]) -> None:
    """Return once none of the processes is alive."""
    async with asyncio.timeout(90):
        while any(map(is_alive, pids.values())):
            await asyncio.sleep(0.01)


async def settle(runner: ProcessRunner, spec: InstanceSpec) -> Observation:
    """The observation once it is ready or has ended."""
    async with asyncio.timeout(90):
        while True:
            for found in await runner.observe():
                if found.id == spec.id and found.state not in PASSING:
                    return found
            await asyncio.sleep(0.01)


async def test_containers_answer_one_after_the_other(
    runner: ProcessRunner, shared_agent: RunningAgent, tmp_path: Path
) -> None:
    spec = spec_of("serial", 3)
    await runner.launch(spec, telling(tmp_path, 3))
    ready = await settle(runner, spec)
    assert InstanceState.READY is ready.state, ready
    assert (200, b"x>m1(env1)>m2(env2)>m3(env3)") == await invoke(ready)
    assert 4 == len(set(pids_of(shared_agent, spec).values()))
    described = await runner.describe(spec.id)
    assert described.pid == pids_of(shared_agent, spec)["front"]
    assert all(any(line.startswith(f"c{number}: ") for line in described.diagnostics) for number in (1, 2, 3))


async def test_a_container_is_asked_directly(runner: ProcessRunner, tmp_path: Path) -> None:
    spec = spec_of("direct", 2, mode=ExecutionMode.DIRECT)
    await runner.launch(spec, telling(tmp_path, 2))
    ready = await settle(runner, spec)
    for number in (1, 2):
        said = await invoke(ready, x_amzn_sagemaker_target_container_hostname=f"c{number}")
        assert (200, f"x>m{number}(env{number})".encode()) == said


async def test_each_container_has_a_log_of_its_own(
    runner: ProcessRunner, shared_agent: RunningAgent, tmp_path: Path
) -> None:
    spec = spec_of("logs", 2)
    scripts = [f"def model_fn(folder):\n    print('here is {name}')\n    return 1\n" for name in ("one", "two")]
    await runner.launch(spec, files_of(tmp_path, *scripts))
    await settle(runner, spec)
    folder = shared_agent.settings.logs_dir / "eu-west-1" / "logs" / "AllTraffic" / spec.id
    assert ["c1.log", "c2.log"] == sorted(path.name for path in folder.iterdir())
    for name, said, not_said in (("c1", "here is one", "here is two"), ("c2", "here is two", "here is one")):
        log = (folder / f"{name}.log").read_text()
        assert said in log
        assert not_said not in log


async def test_fifteen_containers(runner: ProcessRunner, tmp_path: Path) -> None:
    spec = spec_of("fifteen", 15)
    await runner.launch(spec, telling(tmp_path, 15))
    ready = await settle(runner, spec)
    expected = "x" + "".join(f">m{number}(env{number})" for number in range(1, 16))
    assert (200, expected.encode()) == await invoke(ready)


async def test_the_container_that_cannot_be_loaded_is_named(
    runner: ProcessRunner, shared_agent: RunningAgent, tmp_path: Path
) -> None:
    spec = spec_of("broken", 3)
    good = TELLS.format(name="m")
    await runner.launch(spec, files_of(tmp_path, good, BREAKS, good))
    failed = await settle(runner, spec)
    assert (InstanceState.FAILED, "c2: ValueError: no weights (in code/inference.py line 2)") == (
        failed.state,
        failed.reason,
    )
    assert not any(map(is_alive, pids_of(shared_agent, spec).values()))


async def test_the_container_that_is_never_ready_is_named(
    runner: ProcessRunner, shared_agent: RunningAgent, tmp_path: Path
) -> None:
    spec = spec_of("late", 2, startup_timeout_s=0.5)  # in which the second one may or may not be ready
    await runner.launch(spec, files_of(tmp_path, NEVER_READY, TELLS.format(name="m")))
    failed = await settle(runner, spec)
    assert (
        "The c1 container for production variant AllTraffic did not pass the ping health check. Please check"
        " CloudWatch logs for this endpoint."
    ) == failed.reason
    assert not any(map(is_alive, pids_of(shared_agent, spec).values()))


@pytest.mark.parametrize("victim", ["front", "c1", "c2"])
async def test_what_is_left_of_an_instance_is_ended(
    runner: ProcessRunner, shared_agent: RunningAgent, tmp_path: Path, victim: str
) -> None:
    spec = spec_of("killed", 2)
    await runner.launch(spec, telling(tmp_path, 2))
    await reach(runner, spec.id, InstanceState.READY)
    pids = pids_of(shared_agent, spec)
    os.kill(pids[victim], signal.SIGKILL)
    exited = await reach(runner, spec.id, InstanceState.EXITED)
    whose = "" if victim == "front" else f"{victim}: "
    assert f"{whose}The model server was killed by SIGKILL" == exited.reason
    await gone(pids)


async def test_a_container_that_hangs_makes_the_instance_unhealthy(
    runner: ProcessRunner, shared_agent: RunningAgent, tmp_path: Path
) -> None:
    spec = spec_of("hangs", 2)
    await runner.launch(spec, telling(tmp_path, 2))
    await reach(runner, spec.id, InstanceState.READY)
    pid = pids_of(shared_agent, spec)["c2"]
    os.kill(pid, signal.SIGSTOP)
    await reach(runner, spec.id, InstanceState.UNHEALTHY)
    os.kill(pid, signal.SIGCONT)
    await reach(runner, spec.id, InstanceState.READY)


async def test_a_request_in_flight_passes_all_containers_before_they_are_stopped(
    runner: ProcessRunner, shared_agent: RunningAgent, tmp_path: Path
) -> None:
    slow = "import time\ndef model_fn(folder):\n    return 1\ndef transform_fn(model, data, kind, accept):\n"
    slow += "    print('begun', flush=True)\n    time.sleep(0.3)\n    return data + '.', 'text/plain'\n"
    spec = spec_of("stopped", 3)
    await runner.launch(spec, files_of(tmp_path, slow, slow, slow))
    ready = await settle(runner, spec)
    pids = pids_of(shared_agent, spec)
    invocation = asyncio.create_task(invoke(ready))
    log = shared_agent.settings.logs_dir / "eu-west-1" / "stopped" / "AllTraffic" / spec.id / "c1.log"
    async with asyncio.timeout(90):
        while "begun" not in log.read_text():
            await asyncio.sleep(0.01)
    await runner.stop(spec.id)
    assert (200, b"x...") == await invocation
    assert not any(map(is_alive, pids.values()))


async def test_the_next_agent_adopts_every_process_of_an_instance(agent: RunningAgent, tmp_path: Path) -> None:
    spec = spec_of("adopted", 2)
    await agent.runner().launch(spec, telling(tmp_path, 2))
    before = await reach(agent.runner(), spec.id, InstanceState.READY)
    pids = pids_of(agent, spec)
    agent.kill()
    assert (200, b"x>m1(env1)>m2(env2)") == await invoke(before)
    agent.start()
    runner = agent.runner()
    assert [before] == list(await runner.observe())
    assert pids == pids_of(agent, spec)
    os.kill(pids["c1"], signal.SIGKILL)
    exited = await reach(runner, spec.id, InstanceState.EXITED)
    assert "c1: The model server ended" == exited.reason
    await gone(pids)
    await runner.stop(spec.id)
    assert [] == list(agent.settings.instance_sockets_dir.iterdir())


@pytest.mark.parametrize("victim", ["front", "c2"])
async def test_the_next_agent_ends_what_is_left_of_an_instance(
    agent: RunningAgent, tmp_path: Path, victim: str
) -> None:
    spec = spec_of("halved", 2)
    await agent.runner().launch(spec, telling(tmp_path, 2))
    await reach(agent.runner(), spec.id, InstanceState.READY)
    pids = pids_of(agent, spec)
    agent.kill()
    kill(pids[victim])
    agent.start()
    lost = await reach(agent.runner(), spec.id, InstanceState.LOST)
    assert "The model server ended while Moorage was away" == lost.reason
    assert not any(map(is_alive, pids.values()))
    await agent.runner().stop(spec.id)


@pytest.mark.parametrize("count", [1, 3])
async def test_the_next_agent_ends_an_instance_whose_record_it_cannot_read(
    agent: RunningAgent, tmp_path: Path, count: int
) -> None:
    spec = spec_of("unknown", count)
    await agent.runner().launch(spec, telling(tmp_path, count))
    await reach(agent.runner(), spec.id, InstanceState.READY)
    pids = pids_of(agent, spec) if count > 1 else {"only": (await agent.runner().describe(spec.id)).pid or 0}
    agent.kill()
    folder = agent.settings.instances_dir / spec.id
    (folder / "record.json").write_text('{"spec": "of another version"}')
    agent.start()
    await gone(pids)
    async with asyncio.timeout(90):
        while folder.exists():
            await asyncio.sleep(0.01)
    assert [] == list(agent.settings.instance_sockets_dir.iterdir())


FORKS = """
import os, time

def model_fn(folder):
    child = os.fork()
    if child == 0:
        time.sleep(3600)
    return child

def transform_fn(model, data, content_type, accept):
    return str(model), "text/plain"
"""


async def test_what_a_dead_container_forked_does_not_keep_its_place(agent: RunningAgent, tmp_path: Path) -> None:
    spec = spec_of("forks", 2)
    await agent.runner().launch(spec, files_of(tmp_path, TELLS.format(name="m"), FORKS))
    ready = await reach(agent.runner(), spec.id, InstanceState.READY)
    child = int((await invoke(ready))[1])
    pids = pids_of(agent, spec)
    agent.kill()
    kill(pids["c2"])
    agent.start()
    await reach(agent.runner(), spec.id, InstanceState.LOST)
    await gone({**pids, "child": child})
    await agent.runner().stop(spec.id)


async def test_a_start_that_an_agent_did_not_live_to_see_is_not_left_half_done(
    agent: RunningAgent, tmp_path: Path
) -> None:
    spec = spec_of("interrupted", 3)
    files = telling(tmp_path, 3)
    await agent.runner().launch(spec, files)
    for _ in range(8):
        await asyncio.sleep(0.02)
        agent.kill()
        agent.start()
        found = [observation.state for observation in await agent.runner().observe()]
        if found != [InstanceState.STARTING]:
            break
    settled = await settle(agent.runner(), spec)
    assert settled.state in {InstanceState.READY, InstanceState.LOST}
    if settled.state is InstanceState.READY:
        assert (200, b"x>m1(env1)>m2(env2)>m3(env3)") == await invoke(settled)
    else:
        assert not any(path.is_socket() and _answers(path) for path in agent.settings.instance_sockets_dir.iterdir())
    await agent.runner().stop(spec.id)
    assert [] == list(agent.settings.instance_sockets_dir.iterdir())


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        return connection.connect_ex(str(path)) == 0

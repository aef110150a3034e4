"""The process runner with real processes: the contract of every runner, and what only this one promises."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import http.client
import json
import os
import pickle
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
from moorage.testing.runner_suite import RunnerSuite, reach

pytest.importorskip("sklearn")

Launched = Callable[..., InstanceSpec]
PASSING = {InstanceState.STARTING, InstanceState.UNHEALTHY}
ANSWERS_ONE = "def model_fn(folder):\n    return 1\ndef predict_fn(data, model):\n    return model\n"


@pytest.fixture
def root() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="moorage-"))  # pytest's own are too long for sockets
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def shared_agent() -> Iterator[RunningAgent]:
    """An agent with a warm nursery, for tests that leave it as they found it."""
    path = Path(tempfile.mkdtemp(prefix="moorage-"))
    agent = RunningAgent(path, health_interval_s=0.1, ping_timeout_s=0.5)
    agent.start()
    yield agent
    agent.shut_down()
    assert [] == agent.descendants()
    assert not agent.settings.socket_path.exists()
    shutil.rmtree(path)


@pytest.fixture
async def runner(shared_agent: RunningAgent) -> AsyncIterator[ProcessRunner]:
    runner = shared_agent.runner()
    yield runner
    for left in await runner.observe():
        await runner.stop(left.id)
    settings = shared_agent.settings
    assert [] == [path for path in settings.instances_dir.iterdir() if not path.name.startswith(".agent")]
    assert [] == [path for path in settings.models_dir.iterdir() if path.is_dir()]
    assert [] == list(settings.instance_sockets_dir.iterdir())


@pytest.fixture
def make_archive(tmp_path: Path) -> Callable[[bytes], tuple[ContainerFiles, ...]]:
    def make(data: bytes) -> tuple[ContainerFiles, ...]:
        digest = hashlib.sha256(data).hexdigest()
        path = tmp_path / f"{digest}.tar.gz"
        path.write_bytes(data)
        return (ContainerFiles(ModelFiles(DataForm.ARCHIVE, digest, (ModelFile("model.tar.gz", path),))),)

    return make


def make_spec_of(model: str, ordinal: int, *, startup_timeout_s: float = 30.0, image: str = "") -> InstanceSpec:
    container = Container(image or models.SKLEARN_IMAGE, ModelData("s3://models/model.tar.gz"), {"GREETING": "hello"})
    variant = Variant("AllTraffic", model, (container,), "ml.m5.large", 2, startup_timeout_s=startup_timeout_s)
    uid = f"uid-of-{model}"
    return InstanceSpec(
        id=instance_id(uid, 1, "AllTraffic", ordinal),
        endpoint=EndpointKey("eu-west-1", model),
        uid=uid,
        generation=1,
        ordinal=ordinal,
        variant=variant,
    )


class TestProcessRunner(RunnerSuite):
    @pytest.fixture
    def make_spec(self):
        return lambda ordinal: make_spec_of("good", ordinal)

    @pytest.fixture
    def make_broken(self):
        return lambda ordinal: make_spec_of("broken", ordinal)

    @pytest.fixture
    def files_of(self, make_archive):
        good, broken = models.script_archive(ANSWERS_ONE), models.archive({"model.pkl": b"not a pickle"})
        return lambda spec: make_archive(good if spec.variant.model_name == "good" else broken)


def call(address: str, body: bytes, **headers: str) -> tuple[int, bytes]:
    """POST /invocations."""
    connection = http.client.HTTPConnection("instance")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(address)
    connection.request("POST", "/invocations", body, {"Content-Type": "application/json", **headers})
    answer = connection.getresponse()
    found = answer.status, answer.read()
    connection.close()
    return found


def log_of(agent: RunningAgent, spec: InstanceSpec) -> str:
    key, variant = spec.endpoint, spec.variant.name
    return (agent.settings.logs_dir / key.region / key.name / variant / f"{spec.id}.log").read_text()


async def settle(runner: ProcessRunner, spec: InstanceSpec) -> Observation:
    """The observation once it is ready or has ended."""
    async with asyncio.timeout(90):
        while True:
            for found in await runner.observe():
                if found.id == spec.id and found.state not in PASSING:
                    return found
            await asyncio.sleep(0.01)


async def test_the_forest_of_the_recipes_predicts_as_it_does_at_home(runner, make_archive) -> None:
    spec = make_spec_of("iris", 0)
    await runner.launch(spec, make_archive(models.iris_archive()))
    ready = await settle(runner, spec)
    assert InstanceState.READY is ready.state, ready
    assert ready.address is not None
    status, body = call(ready.address, json.dumps({"instances": models.IRIS_ROWS}).encode())
    forest = models.iris_forest()
    expected = {
        "predictions": forest.predict(models.IRIS_ROWS).tolist(),
        "probabilities": forest.predict_proba(models.IRIS_ROWS).tolist(),
    }
    assert (200, expected) == (status, json.loads(body))
    status, body = call(ready.address, b'{"instances": [[5.1, 3.5, 1.4]]}')
    assert (400, "ValueError: X has 3 features, but RandomForestClassifier is expecting 4 features as input.") == (
        status,
        json.loads(body)["error"],
    )
    described = await runner.describe(spec.id)
    assert any("of Moorage's own environment" in line for line in described.diagnostics)


async def test_the_next_instance_of_a_model_goes_by_what_the_one_before_it_has_checked(
    runner, shared_agent, make_archive
) -> None:
    first, second = (make_spec_of("checked", ordinal) for ordinal in range(2))
    archive = models.archive({"model.pkl": pickle.dumps(models.iris_forest()), "name.txt": b"known to nobody else"})
    body = json.dumps({"instances": models.IRIS_ROWS}).encode()
    answers = []
    for spec in (first, second):
        await runner.launch(spec, make_archive(archive))
        ready = await settle(runner, spec)
        assert ready.address is not None
        answers.append(call(ready.address, body))
    assert answers[0] == answers[1]
    assert "100 trees, checked on 128 rows" in log_of(shared_agent, first)
    assert "checked on 128 rows by an instance before this one" in log_of(shared_agent, second)


FAULTS = {
    "import-error": (
        models.script_archive("import os\n\nimport no_such_module\n"),
        "ModuleNotFoundError: No module named 'no_such_module' (in code/inference.py line 3)",
        "Traceback",
    ),
    "no-model": (
        models.archive({"readme.txt": b"x"}),
        (
            "No model file in the archive: expected model.joblib or model.pkl or model.skops, or code/inference.py"
            " with model_fn"
        ),
        "No model file",
    ),
    "corrupt-pickle": (
        models.archive({"model.pkl": b"not a pickle"}),
        "model.pkl cannot be loaded: ",
        "Traceback",
    ),
    "escapes": (
        models.archive({"../../etc/x": b"x"}),
        "archive member '../../etc/x' leaves the model folder",
        "leaves the model folder",
    ),
    "exits": (
        models.script_archive("import os\ndef model_fn(folder):\n    os._exit(3)\n"),
        "The model server exited with code 3 before it was ready",
        "exited with code 3",
    ),
    "names-its-folder": (
        models.script_archive("def model_fn(folder):\n    open(folder + '/weights.bin')\n"),
        "FileNotFoundError: [Errno 2] No such file or directory: 'weights.bin' (in code/inference.py line 2)",
        "Traceback",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_of_the_model_is_named(fault, runner, shared_agent, make_archive) -> None:
    data, reason, logged = FAULTS[fault]
    spec = make_spec_of(fault, 0)
    await runner.launch(spec, make_archive(data))
    failed = await settle(runner, spec)
    assert InstanceState.FAILED is failed.state
    assert failed.reason is not None
    assert failed.reason.startswith(reason), failed.reason
    assert logged in log_of(shared_agent, spec)


async def test_an_image_that_is_none_of_ours_is_named(runner, make_archive) -> None:
    spec = make_spec_of("foreign", 0, image="example.com/own:1")
    await runner.launch(spec, make_archive(models.script_archive(ANSWERS_ONE)))
    failed = await settle(runner, spec)
    assert InstanceState.FAILED is failed.state
    assert "example.com/own:1" in str(failed.reason)


async def test_a_model_that_never_answers_ping_fails_at_the_startup_timeout(runner, make_archive) -> None:
    spec = make_spec_of("hangs", 0, startup_timeout_s=0.3)
    await runner.launch(
        spec, make_archive(models.script_archive("import time\ndef model_fn(f):\n    time.sleep(60)\n"))
    )
    failed = await settle(runner, spec)
    assert InstanceState.FAILED is failed.state
    assert "AllTraffic did not pass the ping health check" in str(failed.reason)
    assert None is (await runner.describe(spec.id)).pid


async def test_the_death_of_an_instance_is_told_at_once(runner, make_archive) -> None:
    spec = make_spec_of("dies", 0)
    await runner.launch(spec, make_archive(models.script_archive(ANSWERS_ONE)))
    await reach(runner, spec.id, InstanceState.READY)
    pid = (await runner.describe(spec.id)).pid
    changes = runner.changes()
    assert spec.endpoint == await anext(changes)
    os.kill(pid, signal.SIGKILL)
    async with asyncio.timeout(90):
        while (found := (await runner.observe())[0]).state is not InstanceState.EXITED:
            assert spec.endpoint == await anext(changes)
    assert "The model server was killed by SIGKILL" == found.reason
    await changes.aclose()


async def test_how_an_instance_ended_is_told_however_late_its_parent_says_it(runner, make_archive) -> None:
    spec = make_spec_of("dies", 0)
    await runner.launch(spec, make_archive(models.script_archive(ANSWERS_ONE)))
    await reach(runner, spec.id, InstanceState.READY)
    pid = (await runner.describe(spec.id)).pid
    nursery = _parent(pid)
    os.kill(nursery, signal.SIGSTOP)
    try:
        os.kill(pid, signal.SIGKILL)
        await asyncio.sleep(0.3)
    finally:
        os.kill(nursery, signal.SIGCONT)
    exited = await reach(runner, spec.id, InstanceState.EXITED)
    assert "The model server was killed by SIGKILL" == exited.reason


async def test_an_instance_that_stops_answering_is_unhealthy_until_it_answers_again(runner, make_archive) -> None:
    spec = make_spec_of("freezes", 0)
    await runner.launch(spec, make_archive(models.script_archive(ANSWERS_ONE)))
    await reach(runner, spec.id, InstanceState.READY)
    pid = (await runner.describe(spec.id)).pid
    os.kill(pid, signal.SIGSTOP)
    unhealthy = await reach(runner, spec.id, InstanceState.UNHEALTHY)
    assert "/ping" in str(unhealthy.reason)
    os.kill(pid, signal.SIGCONT)
    assert None is (await reach(runner, spec.id, InstanceState.READY)).reason


async def test_stop_ends_what_the_model_started_too(runner, make_archive) -> None:
    script = (
        "import subprocess\n"
        "def model_fn(folder):\n"
        "    return subprocess.Popen(['sleep', '60']).pid\n"
        "def transform_fn(model, data, content_type, accept):\n"
        "    return str(model)\n"
    )
    spec = make_spec_of("parent", 0)
    await runner.launch(spec, make_archive(models.script_archive(script)))
    ready = await reach(runner, spec.id, InstanceState.READY)
    child = int(call(str(ready.address), b"{}")[1])
    pid = (await runner.describe(spec.id)).pid
    assert is_alive(child)
    await runner.stop(spec.id)
    assert not is_alive(child)
    assert not is_alive(pid)


async def test_stop_lets_a_request_in_flight_finish(runner, shared_agent, make_archive) -> None:
    script = (
        "import time\n"
        "def model_fn(folder):\n    return 1\n"
        "def transform_fn(model, data, content_type, accept):\n"
        "    print('begun', flush=True)\n    time.sleep(0.4)\n    return 'finished'\n"
    )
    spec = make_spec_of("slow", 0)
    await runner.launch(spec, make_archive(models.script_archive(script)))
    ready = await reach(runner, spec.id, InstanceState.READY)
    answer = asyncio.create_task(asyncio.to_thread(call, str(ready.address), b"{}"))
    async with asyncio.timeout(90):
        while "begun" not in log_of(shared_agent, spec):
            await asyncio.sleep(0.01)
    await runner.stop(spec.id)
    assert (200, b"finished") == await answer


async def test_an_instance_sees_its_own_environment_and_nothing_else(runner, make_archive) -> None:
    script = (
        "import json, os\n"
        "def model_fn(folder):\n    return folder\n"
        "def transform_fn(model, data, content_type, accept):\n    return json.dumps(dict(os.environ) | {'m': model})\n"
    )
    spec = make_spec_of("environment", 0)
    await runner.launch(spec, make_archive(models.script_archive(script)))
    ready = await reach(runner, spec.id, InstanceState.READY)
    seen = json.loads(call(str(ready.address), b"{}")[1])
    assert ("hello", "eu-west-1", seen["m"]) == (seen["GREETING"], seen["AWS_REGION"], seen["SM_MODEL_DIR"])
    assert {"PYTEST_CURRENT_TEST", "USER", "SSH_AUTH_SOCK"}.isdisjoint(seen)


async def test_the_next_agent_adopts_what_a_killed_one_left(root, make_archive) -> None:
    agent = RunningAgent(root)
    agent.start()
    runner = agent.runner()
    specs = [make_spec_of("survivor", ordinal) for ordinal in range(3)]
    archive = make_archive(models.script_archive(ANSWERS_ONE))
    for spec in specs[:2]:
        await runner.launch(spec, archive)
        await reach(runner, spec.id, InstanceState.READY)
    pids = [(await runner.describe(spec.id)).pid for spec in specs[:2]]
    agent.kill()
    assert all(map(is_alive, pids))
    kill(pids[1])
    agent.start()
    adopted = {found.id: found for found in await runner.observe()}
    assert InstanceState.READY is adopted[specs[0].id].state
    assert pids[0] == (await runner.describe(specs[0].id)).pid
    lost = await settle(runner, specs[1])
    assert (InstanceState.LOST, "The model server ended while Moorage was away") == (lost.state, lost.reason)
    await runner.launch(specs[0], archive)
    assert pids[0] == (await runner.describe(specs[0].id)).pid
    os.kill(pids[0], signal.SIGKILL)
    assert InstanceState.EXITED is (await reach(runner, specs[0].id, InstanceState.EXITED)).state
    agent.shut_down()
    assert [] == agent.descendants()


@pytest.mark.parametrize("is_same_boot", [True, False])
async def test_the_next_agent_ends_what_a_dead_instance_started_unless_the_machine_restarted(
    root, make_archive, is_same_boot
) -> None:
    script = (
        "import subprocess\n"
        "def model_fn(folder):\n    return subprocess.Popen(['sleep', '60']).pid\n"
        "def transform_fn(model, data, content_type, accept):\n    return str(model)\n"
    )
    agent = RunningAgent(root)
    agent.start()
    runner = agent.runner()
    spec = make_spec_of("parent", 0)
    await runner.launch(spec, make_archive(models.script_archive(script)))
    ready = await reach(runner, spec.id, InstanceState.READY)
    child = int(call(str(ready.address), b"{}")[1])
    instance = (await runner.describe(spec.id)).pid
    agent.kill()
    kill(instance)
    if not is_same_boot:
        record = agent.settings.instances_dir / spec.id / "record.json"
        record.write_text(json.dumps(json.loads(record.read_text()) | {"boot_id": "of another boot"}))
    agent.start()
    try:
        await reach(runner, spec.id, InstanceState.LOST)
        async with asyncio.timeout(90):
            while is_same_boot and is_alive(child):  # killed, and perhaps not yet dead
                await asyncio.sleep(0.01)
        assert is_same_boot is not is_alive(child)
    finally:
        agent.shut_down()
        if is_alive(child):
            os.kill(child, signal.SIGKILL)


async def test_a_launch_that_an_agent_did_not_live_to_finish_is_finished_once(root, make_archive) -> None:
    agent = RunningAgent(root)
    archive = make_archive(models.script_archive(ANSWERS_ONE))
    spec = make_spec_of("interrupted", 0)
    runner = agent.runner()
    for delay_s in (0.0, 0.02, 0.1, 0.5):
        agent.start()
        await runner.launch(spec, archive)
        await asyncio.sleep(delay_s)
        agent.kill()
    agent.start()
    await reach(runner, spec.id, InstanceState.READY)
    instance = (await runner.describe(spec.id)).pid
    async with asyncio.timeout(90):
        while [instance] != _instances_of(agent):  # what a killed agent was forking sees in a moment that it is late
            await asyncio.sleep(0.05)
    agent.shut_down()
    assert [] == agent.descendants()


async def test_an_agent_whose_folder_vanishes_takes_its_instances_along(root, make_archive) -> None:
    agent = RunningAgent(root / "a", watch_interval_s=0.05)
    agent.start()
    runner = agent.runner()
    spec = make_spec_of("abandoned", 0)
    await runner.launch(spec, make_archive(models.script_archive(ANSWERS_ONE)))
    await reach(runner, spec.id, InstanceState.READY)
    pid = (await runner.describe(spec.id)).pid
    (root / "a").rename(root / "gone")  # all at once: what an agent that ends removes itself would be in the way
    agent.wait()
    assert not is_alive(pid)


def _instances_of(agent: RunningAgent) -> list[int]:
    """The processes that have an instance's files open, but for the workers that another of them has forked."""
    holders = {pid for pid in agent.descendants() if "instances/i-" in _open_files(pid)}
    return [pid for pid in holders if _parent(pid) not in holders]


def _parent(pid: int) -> int | None:
    """None if it has ended."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return None


def _open_files(pid: int) -> str:
    found = []
    with contextlib.suppress(OSError):  # the process, or one of its files, is gone since it was listed
        for descriptor in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(FileNotFoundError):
                found.append(os.readlink(f"/proc/{pid}/fd/{descriptor}"))
    return "\n".join(found)

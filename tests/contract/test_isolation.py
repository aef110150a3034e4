"""What the code of a model cannot do to the machine, to Moorage and to other models: a hostile one tries, for real.

Every test runs with an agent of this user; for root also with one of an unprivileged user, and with one of root in a
container that, as Docker's do, refuses namespaces and mounts. They have different means.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import http.client
import importlib.metadata
import json
import os
import re
import shutil
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
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
    Observation,
    Variant,
    instance_id,
)
from moorage.runners.base import ContainerFiles, ModelFile, ModelFiles
from moorage.runners.process.client import ProcessRunner
from moorage.runners.process.isolation.machine import Machine, examine
from moorage.runners.process.isolation.ways import is_reachable
from moorage.runners.process.settings import RequireIsolation
from moorage.runtime.sandbox.view import interpreter_paths
from moorage.testing import models
from moorage.testing.agent import RunningAgent, is_alive

HOSTILE = Path(__file__).with_name("hostile_inference.py").read_text()
pytest.importorskip("sklearn", reason="instances are forked from a nursery with scikit-learn")
INSTALLED = ".".join(importlib.metadata.version("scikit-learn").split(".")[:2])
IMAGE = models.SKLEARN_IMAGE.replace(":1.2-1-", f":{INSTALLED}-1-")
NOBODY = 65_534
IS_ROOT = os.geteuid() == 0
IN_CONTAINER = """
import os, sys
from moorage.runtime.sandbox.seccomp import filter_system_calls
filter_system_calls(has_network=True)
os.execv(sys.argv[1], sys.argv[1:])
"""
AGENTS: dict[str, dict[str, Any]] = {"this user": {}}
if IS_ROOT:
    AGENTS |= {"nobody": {"user": NOBODY}, "container": {"by": [sys.executable, "-c", IN_CONTAINER]}}
Tried = list[Any]
"""`["done", what came of it]` or `["refused", why]`."""
Attempt = Callable[..., Awaitable[Tried]]


def short_folder(user: int | None) -> Path:
    path = Path(tempfile.mkdtemp(prefix="moorage-"))
    if user is not None:
        os.chown(path, user, user)
    return path


def need_interpreter(user: int | None) -> None:
    closed = [path for path in interpreter_paths() if not is_reachable(Path(path), NOBODY)]
    if user is not None and closed:
        pytest.skip(f"only root can get to {closed[0]}, where the interpreter is")


@pytest.fixture(scope="module", params=AGENTS)
def agent(request) -> Iterator[RunningAgent]:
    started = AGENTS[request.param]
    need_interpreter(started.get("user"))
    path = short_folder(started.get("user"))
    agent = RunningAgent(path, stop_grace_s=2.0, **started)
    agent.start()
    yield agent
    agent.shut_down()
    assert [] == agent.descendants()
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def machine(agent: RunningAgent) -> Machine:
    """What the agent can do. Asked of the product's own trials: what these promise the tests then demand."""
    here = asyncio.run(examine(700_000))
    if agent.user is not None:
        return Machine({**here.failures, "user": "not root", "user and view": "not root"}, here.landlock)
    refused = ("view", "user and view", "view in a user namespace", "network", "network in a user namespace")
    return Machine({**here.failures, **dict.fromkeys(refused, "a container")}, here.landlock) if agent.by else here


@pytest.fixture
async def runner(agent: RunningAgent) -> AsyncIterator[ProcessRunner]:
    runner = agent.runner()
    yield runner
    for left in await runner.observe():
        await runner.stop(left.id)


@pytest.fixture(scope="module")
def files() -> Iterator[tuple[ContainerFiles, ...]]:
    with tempfile.NamedTemporaryFile(prefix="moorage-", suffix=".tar.gz") as archive:
        data = models.script_archive(HOSTILE, **{"weights.txt": b"the weights"})
        archive.write(data)
        archive.flush()
        os.chmod(archive.name, 0o644)
        digest = hashlib.sha256(data).hexdigest()
        yield (ContainerFiles(ModelFiles(DataForm.ARCHIVE, digest, (ModelFile("", Path(archive.name)),))),)


def spec_of(name: str, *, is_isolated: bool = False) -> InstanceSpec:
    container = Container(IMAGE, ModelData("s3://models/model.tar.gz"))
    variant = Variant("AllTraffic", name, (container,), "ml.m5.large", 1, network_isolation=is_isolated)
    uid = f"uid-of-{name}-{os.getpid()}"  # control groups are named by it, and other tests may run beside these
    return InstanceSpec(instance_id(uid, 1, "AllTraffic", 0), EndpointKey("eu-west-1", name), uid, 1, 0, variant)


async def launched(runner: ProcessRunner, spec: InstanceSpec, files: tuple[ContainerFiles, ...]) -> Observation:
    await runner.launch(spec, files)
    async with asyncio.timeout(90):
        while True:
            found = next(found for found in await runner.observe() if found.id == spec.id)
            if found.state is not InstanceState.STARTING:
                return found
            await asyncio.sleep(0.01)


@pytest.fixture
async def attempt(runner: ProcessRunner, files) -> Attempt:
    return attempt_in(await launched(runner, spec_of("hostile"), files))


def attempt_in(found: Observation) -> Attempt:
    assert InstanceState.READY is found.state, found
    assert found.address is not None

    async def attempt(*what: Any) -> Tried:
        status, body = await asyncio.to_thread(post, found.address, json.dumps(what).encode())
        assert 200 == status, body
        return json.loads(body)

    return attempt


def post(address: str, body: bytes) -> tuple[int, bytes]:
    """POST /invocations."""
    connection = http.client.HTTPConnection("instance")
    with contextlib.closing(connection):
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(60)
        connection.sock.connect(address)
        connection.request("POST", "/invocations", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read()


def refused(tried: Tried) -> bool:
    return tried[0] == "refused"


# -- files ------------------------------------------------------------------------------------------------------------


async def test_files_lie_where_an_aws_container_has_them(attempt, machine) -> None:
    if not machine.has_view:
        pytest.skip(f"/opt/ml/model needs a view of files: {machine.failures['view']}")
    assert ["done", "/opt/ml/model"] == await attempt("model_folder")
    assert ["done", "the weights"] == await attempt("read", "/opt/ml/model/weights.txt")
    assert ["done", "/opt/ml/model"] == await attempt("variable", "SM_MODEL_DIR")
    for place in ("/tmp/x", "/var/tmp/x", "/dev/shm/x", "/opt/ml/output/x", "x"):
        assert ["done", "written"] == await attempt("write", place), place


async def test_it_cannot_change_its_model_or_the_machine(attempt, machine) -> None:
    done, model = await attempt("model_folder")
    assert "done" == done
    assert ["done", "the weights"] == await attempt("read", f"{model}/weights.txt")
    for place in (f"{model}/weights.txt", f"{model}/new", "/usr/lib/new", "/etc/new", "/new", "/run/new"):
        assert refused(await attempt("write", place)), place
    if machine.has_users or machine.has_view:
        assert refused(await attempt("read", "/etc/shadow"))


async def test_its_temporary_files_are_its_own(attempt, agent) -> None:
    with tempfile.NamedTemporaryFile(prefix="moorage-of-the-host-") as of_the_host:
        assert refused(await attempt("read", of_the_host.name))
    await attempt("write", "/tmp/of-the-model")
    assert not Path("/tmp/of-the-model").exists()


async def test_it_sees_nothing_of_moorage(attempt, agent, runner, files) -> None:
    settings = agent.settings
    await launched(runner, spec_of("other"), files)
    for folder in (settings.instances_dir, settings.models_dir, settings.logs_dir, settings.run_dir):
        tried = await attempt("list", str(folder))
        assert refused(tried) or not [name for name in tried[1] if name != spec_of("hostile").id], (folder, tried)
    for path in [path for path in settings.instances_dir.rglob("*") if path.is_file()]:
        before = path.read_bytes()
        assert refused(await attempt("read", str(path))), path
        await attempt("write", str(path))  # which may succeed, below a /tmp of its own
        assert before == path.read_bytes(), path


async def test_it_cannot_reach_the_sockets_of_moorage(attempt, agent, runner, files, machine) -> None:
    if not (machine.has_users or machine.has_view):
        pytest.skip(f"only another user or a view of files keeps sockets away: {machine.why_no_users}")
    other = await launched(runner, spec_of("other"), files)
    assert refused(await attempt("connect", other.address))
    assert refused(await attempt("connect", str(agent.settings.socket_path)))


async def test_what_it_inherited_gives_it_no_way_out(attempt, agent) -> None:
    done, descriptors = await attempt("descriptors")
    assert "done" == done
    inside = str(agent.settings.instances_dir)
    assert not {path for path in descriptors.values() if path.startswith(str(agent.settings.models_dir))}
    lock = next(fd for fd, path in descriptors.items() if path.startswith(inside) and path.endswith("/lock"))
    assert refused(await attempt("write", f"/proc/self/fd/{lock}"))
    assert refused(await attempt("write_descriptor", int(lock)))
    done, variables = await attempt("variables")
    assert "done" == done
    assert not {name for name in variables if re.search("TOKEN|SECRET|KEY|PASSWORD", name)}, variables


# -- processes and the kernel -----------------------------------------------------------------------------------------


async def test_it_has_no_rights(attempt, machine) -> None:
    done, status = await attempt("status")
    assert "done" == done
    for kind in ("CapPrm", "CapEff", "CapInh", "CapAmb"):
        assert 0 == int(status[kind], 16), kind
    assert "1" == status["NoNewPrivs"]
    assert "2" == status["Seccomp"]
    if machine.has_users:
        assert 700_000 <= int(status["Uid"].split()[0]) < 765_536
        assert ("" if machine.has_view else "765536") == status["Groups"].strip()


async def test_two_instances_are_different_users(attempt, agent, runner, files, machine) -> None:
    if not machine.has_users:
        pytest.skip("users of their own need root")
    other = attempt_in(await launched(runner, spec_of("other"), files))
    users = {(await each("status"))[1]["Uid"] for each in (attempt, other)}
    assert 2 == len(users)


async def test_it_cannot_touch_processes_outside(attempt, agent) -> None:
    for pid in (agent.pid, os.getpid()):
        assert refused(await attempt("signal", pid)), pid
        assert refused(await attempt("trace", pid)), pid
        assert refused(await attempt("read", f"/proc/{pid}/environ")), pid
        assert refused(await attempt("list", f"/proc/{pid}/root/")), pid


CALLS = [
    *("mount", "umount2", "pivot_root", "chroot", "unshare", "setns", "bpf", "keyctl", "io_uring_setup"),
    *("userfaultfd", "perf_event_open", "add_key", "open_by_handle_at", "init_module", "kexec_load", "swapon"),
    *("process_vm_readv", "ptrace", "fsopen", "open_tree", "clone with CLONE_NEWUSER"),
]


@pytest.mark.parametrize("call", CALLS)
async def test_the_kernel_refuses(call, attempt) -> None:
    assert ["refused", "EPERM"] == await attempt("call", call)


async def test_threads_processes_and_pools_work(attempt) -> None:
    assert ["done", [0, 1, 4, 9]] == await attempt("pool")
    assert ["done", "hello"] == await attempt("command", "echo", "hello")


async def test_its_processes_are_limited(attempt, agent, machine) -> None:
    if not machine.has_users:
        pytest.skip("a limit on processes needs a user of the instance's own")
    assert ["done", agent.settings.instance_processes_max] == await attempt("limit", "RLIMIT_NPROC")
    assert ["done", 0] == await attempt("limit", "RLIMIT_CORE")


async def test_a_daemon_of_it_ends_with_it(attempt, runner, agent, machine) -> None:
    if not machine.has_users:
        pytest.skip("finding what left its session needs a user of the instance's own")
    done, daemon = await attempt("daemon")
    assert "done" == done
    assert is_alive(daemon)
    await runner.stop(spec_of("hostile").id)
    assert not is_alive(daemon)


async def test_the_next_agent_knows_what_belongs_to_an_instance_it_adopts(attempt, runner, agent, machine) -> None:
    if not machine.has_users:
        pytest.skip("finding what left its session needs a user of the instance's own")
    done, daemon = await attempt("daemon")
    assert "done" == done
    agent.kill()
    agent.start()
    assert ["done", "hello"] == await attempt("command", "echo", "hello")
    assert is_alive(daemon)
    await runner.stop(spec_of("hostile").id)
    assert not is_alive(daemon)


# -- the network ------------------------------------------------------------------------------------------------------


@pytest.fixture
def listeners() -> Iterator[dict[str, Any]]:
    """Sockets of the host: on the loopback by TCP and UDP, and an abstract Unix one."""
    with contextlib.ExitStack() as stack:
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        abstract = stack.enter_context(socket.socket(socket.AF_UNIX))
        abstract.bind(f"\0moorage-test-{os.getpid()}")
        abstract.listen()
        yield {"tcp": tcp.getsockname()[1], "abstract": f"moorage-test-{os.getpid()}"}


async def test_a_model_may_use_the_network(attempt, listeners) -> None:
    assert ["done", "connected"] == await attempt("tcp", "127.0.0.1", listeners["tcp"])


async def test_an_isolated_model_has_no_network(runner, files, listeners, machine) -> None:
    attempt = attempt_in(await launched(runner, spec_of("isolated", is_isolated=True), files))
    assert refused(await attempt("tcp", "127.0.0.1", listeners["tcp"]))
    assert refused(await attempt("tcp", "203.0.113.1", 80))
    assert refused(await attempt("udp", "203.0.113.1", 53))
    assert refused(await attempt("resolve", "example.com"))
    assert refused(await attempt("abstract", listeners["abstract"]))
    if machine.can("network") or machine.can("network in a user namespace"):
        assert ["done", ["lo"]] == await attempt("interfaces")
        assert ["done", "connected"] == await attempt("own_loopback")


# -- what is said -----------------------------------------------------------------------------------------------------


async def test_what_it_is_confined_to_is_said(attempt, runner) -> None:
    described = await runner.describe(spec_of("hostile").id)
    said = [line for line in described.diagnostics if line.startswith("isolation: ")]
    assert 1 == len(said)
    assert "system calls filtered" in said[0]


@pytest.mark.parametrize("started", AGENTS)
async def test_strict_starts_only_what_lacks_nothing(started, files) -> None:
    need_interpreter(AGENTS[started].get("user"))
    path = short_folder(AGENTS[started].get("user"))
    agent = RunningAgent(path, require_isolation=RequireIsolation.STRICT, stop_grace_s=2.0, **AGENTS[started])
    agent.start()
    try:
        found = await launched(agent.runner(), spec_of("first"), files)
        if IS_ROOT and started == "this user":
            assert InstanceState.READY is found.state, found
        if started == "container":
            assert InstanceState.FAILED is found.state, found
        if found.state is InstanceState.FAILED:
            assert found.reason is not None
            assert found.reason.startswith("require_isolation is strict, and this machine does not give instances ")
    finally:
        agent.shut_down()
        shutil.rmtree(path)


@pytest.mark.skipif(not IS_ROOT, reason="users of their own need root")
async def test_when_all_users_are_taken_an_instance_is_not_started_as_anothers(files) -> None:
    path = short_folder(None)
    agent = RunningAgent(path, instance_users=1, stop_grace_s=2.0)
    agent.start()
    try:
        first = await launched(agent.runner(), spec_of("first"), files)
        assert InstanceState.READY is first.state, first
        second = await launched(agent.runner(), spec_of("second"), files)
        assert InstanceState.FAILED is second.state
        assert "has files or processes" in (second.reason or "")
    finally:
        agent.shut_down()
        shutil.rmtree(path)

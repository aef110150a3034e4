"""Each means of a sandbox alone, in a process of its own, as on machines that do not give the others."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from moorage.runners.process.isolation.machine import Machine, examine
from moorage.runtime.sandbox.view import interpreter_paths

INSIDE = """
import errno, json, os, socket, sys
from pathlib import Path
from moorage.runtime.sandbox.enter import SandboxFailed, enter
from moorage.runtime.sandbox.plan import Sandbox

try:
    enter(Sandbox.of(json.loads(sys.argv[1])))
except SandboxFailed as failed:
    print(failed)
    sys.exit()
try:
    print(eval(sys.argv[2]))
except OSError as error:
    print(errno.errorcode[error.errno])
except MemoryError:
    print("MemoryError")
"""


@pytest.fixture(scope="module")
def machine() -> Machine:
    return asyncio.run(examine(700_000))


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A file that nothing was said of."""
    (tmp_path / "outside").write_text("secret")
    return tmp_path / "outside"


@pytest.fixture
def abstract() -> Iterator[str]:
    """An abstract Unix socket of the host's; `@` stands for the NUL it begins with."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"\0moorage-{os.getpid()}")
        server.listen()
        yield f"@moorage-{os.getpid()}"


def inside(sandbox: dict[str, Any], expression: str) -> str:
    """What the expression comes to inside, or the name of the error it meets."""
    command = [sys.executable, "-P", "-c", INSIDE, json.dumps(sandbox), expression]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.strip()


def connect(name: str) -> str:
    return f"socket.socket(socket.AF_UNIX).connect({name!r}.replace('@', chr(0)))"


def need(machine: Machine, means: str) -> None:
    if not machine.can(means):
        pytest.skip(f"{means}: {machine.failures[means]}")


def landlock_of(machine: Machine, version: int) -> dict[str, Any]:
    if machine.landlock < version:
        pytest.skip(f"the kernel has Landlock {machine.landlock}, not {version}")
    return {"landlock": version}


@pytest.mark.parametrize("version", range(1, 8))
def test_every_version_of_landlock_keeps_what_was_not_said_away(version, machine, outside, tmp_path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    sandbox = landlock_of(machine, version) | {
        "readable": ["/usr", "/proc", *interpreter_paths()],
        "writable": [str(work)],
    }
    assert "EACCES" == inside(sandbox, f"Path({str(outside)!r}).read_text()")
    assert "EACCES" == inside(sandbox, f"os.listdir({str(tmp_path)!r})")
    assert "EACCES" == inside(sandbox, "Path('/usr/new').write_text('x')")
    assert "3" == inside(sandbox, f"Path({str(work / 'new')!r}).write_text('new')")
    assert "new" == (work / "new").read_text()
    assert "3" == inside(sandbox, "__import__('statistics').mean([2, 3, 4])"), "the interpreter stays readable"


def test_landlock_keeps_away_from_processes_and_abstract_sockets_outside(machine, abstract) -> None:
    sandbox = landlock_of(machine, 6)
    assert "EPERM" == inside(sandbox, f"os.kill({os.getpid()}, 0)")
    assert "EPERM" == inside(sandbox, connect(abstract))
    assert "EACCES" == inside(sandbox, f"Path('/proc/{os.getpid()}/environ').read_text()")
    assert "EACCES" == inside(sandbox, f"os.readlink('/proc/{os.getpid()}/exe')")


def test_a_filter_alone_keeps_the_network_away(machine, abstract) -> None:
    need(machine, "seccomp")
    sandbox = {"seccomp": True, "network": "unix sockets"}
    for family in ("AF_INET", "AF_INET6", "AF_NETLINK"):
        assert "EPERM" == inside(sandbox, f"socket.socket(socket.{family}, socket.SOCK_DGRAM)")
    assert "None" == inside(sandbox, connect(abstract)), "which is why this is said to be lacking without Landlock 6"


@pytest.mark.parametrize("kind", ["network", "network in a user namespace"])
def test_a_namespace_has_a_network_of_its_own(kind, machine, abstract) -> None:
    need(machine, kind)
    sandbox = {"network": "namespace", "user_namespace": kind != "network"}
    assert "[(1, 'lo')]" == inside(sandbox, "socket.if_nameindex()")
    assert "ECONNREFUSED" == inside(sandbox, connect(abstract))
    assert "ENETUNREACH" == inside(sandbox, "socket.create_connection(('203.0.113.1', 80), 3)")


@pytest.mark.parametrize("kind", ["view", "view in a user namespace"])
def test_a_view_leaves_the_host_as_it_is(kind, machine, tmp_path, outside) -> None:
    need(machine, kind)
    model = tmp_path / "model"
    model.mkdir()
    (model / "weights").write_text("w")
    before = sorted(map(str, Path("/opt").rglob("*")))
    view = {
        "hidden": [str(tmp_path)],
        "scratch": ["/opt/ml"],
        "places": [{"source": str(model), "target": "/opt/ml/model"}],
    }
    sandbox = {"user_namespace": kind != "view", "view": view}
    assert "w" == inside(sandbox, "Path('/opt/ml/model/weights').read_text()")
    assert "EROFS" == inside(sandbox, "Path('/opt/ml/model/new').write_text('x')")
    assert "1" == inside(sandbox, "Path('/opt/ml/new').write_text('x')")
    assert "[]" == inside(sandbox, f"os.listdir({str(tmp_path)!r})")
    assert "EROFS" == inside(sandbox, f"os.mkdir({str(tmp_path / 'new')!r})")
    assert before == sorted(map(str, Path("/opt").rglob("*")))
    assert {"model", "outside"} == {path.name for path in tmp_path.iterdir()}


def test_nobody_inside_has_rights(machine) -> None:
    for sandbox in ({}, {"user_namespace": True, "network": "namespace"}):
        if sandbox:
            need(machine, "network in a user namespace")
        status = inside(sandbox, "Path('/proc/self/status').read_text()")
        fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        assert 0 == int(fields["CapEff"], 16) == int(fields["CapPrm"], 16)
        assert "1" == fields["NoNewPrivs"]


def test_a_process_has_no_more_memory_than_it_is_given() -> None:
    assert str(1 << 30) == inside({}, "len(bytearray(1 << 30))")
    assert "MemoryError" == inside({"memory_bytes": 512 << 20}, "len(bytearray(1 << 30))")
    assert "(0, 0)" == inside({}, "__import__('resource').getrlimit(4)"), "and leaves no core"


def test_no_user_is_promised_that_could_not_read_the_modules_of_the_interpreter(tmp_path, machine) -> None:
    need(machine, "user")
    modules = tmp_path / "modules"
    modules.mkdir()
    tmp_path.chmod(0o700)
    command = [sys.executable, "-P", "-m", "moorage.runtime.sandbox.probe", "700000"]
    answer = subprocess.run(command, env={"PYTHONPATH": str(modules)}, capture_output=True, check=True, timeout=60)
    assert f"{modules} cannot be read from inside" == json.loads(answer.stdout)["failures"]["user"]


def test_what_cannot_be_done_is_said_with_its_step() -> None:
    no_group = inside({"control_groups": ["/nonexistent"]}, "0")
    assert no_group.startswith("The instance could not be isolated: joining its control groups: No such file"), no_group
    view = {"hidden": [], "scratch": [], "places": []}
    if os.geteuid() != 0:
        failed = inside({"view": view}, "0")
        assert "The instance could not be isolated: making its namespaces: Operation not permitted" == failed

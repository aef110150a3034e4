"""Control groups below a folder of the tests' own: of the kernel where it lets us make them, else as plain files."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from moorage.runners.process.isolation.control_groups import (
    MOUNTS,
    OWN_GROUPS,
    ControlGroups,
    find_control_groups,
    kill_members,
    remove,
)

MEMORY_BYTES_MAX = 64 * 1024 * 1024
GREEDY = """
import sys
open(sys.argv[1] + "/cgroup.procs", "w").write("0")
bytearray(256 * 1024 * 1024)
"""
DAEMON = """
import os, sys, time
open(sys.argv[1] + "/cgroup.procs", "w").write("0")
if os.fork() == 0:
    os.setsid()
    parent = os.getpid()
    if os.fork() == 0:
        os.setsid()
        while os.getppid() == parent:
            time.sleep(0.001)
        print(os.getpid(), flush=True)
        time.sleep(60)
    os._exit(0)
"""


def end(groups: list[Path]) -> None:
    deadline = time.monotonic() + 60
    while kill_members(groups):
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def group() -> Iterator[Path]:
    own = find_control_groups(OWN_GROUPS.read_text(), MOUNTS.read_text())
    try:
        made = own.make(f"test-{os.getpid()}")
    except OSError as error:
        pytest.skip(f"no control group can be made here: {error}")
    yield made
    end([made])
    remove([made])
    assert not made.exists()


def test_what_left_every_session_is_ended_with_its_group(group) -> None:
    command = [sys.executable, "-c", DAEMON, str(group)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        daemon = int(process.stdout.readline())
        assert daemon != process.pid
        assert 0 == process.wait(timeout=30)
    assert [daemon] == [int(pid) for pid in (group / "cgroup.procs").read_text().split()]
    end([group])
    assert "" == (group / "cgroup.procs").read_text()


def test_groups_that_are_gone_have_nothing_to_end(tmp_path) -> None:
    assert not kill_members([tmp_path / "gone"])
    remove([tmp_path / "gone"])


def test_a_limit_of_memory_is_written_in_the_words_of_each_version(tmp_path) -> None:
    first = ControlGroups(unified=None, memory=tmp_path)
    group = first.make_limited("a", 1 << 30)
    assert "1073741824" == (group / "memory.limit_in_bytes").read_text()

    (tmp_path / "cgroup.subtree_control").write_text("")
    second = ControlGroups(unified=tmp_path, memory=None)
    assert second.make("b") == second.make_limited("b", 1 << 30)
    assert "1073741824" == (second.make("b") / "memory.max").read_text()
    assert "+memory" == (tmp_path / "cgroup.subtree_control").read_text()


def test_the_kernel_keeps_to_a_limit_of_memory() -> None:
    own = find_control_groups(OWN_GROUPS.read_text(), MOUNTS.read_text())
    try:
        group = own.make_limited(f"limit-{os.getpid()}", MEMORY_BYTES_MAX)
    except OSError as error:
        pytest.skip(f"no control group can limit memory here: {error}")
    try:
        code = subprocess.run([sys.executable, "-c", GREEDY, str(group)], check=False, timeout=300).returncode
        peaks = [group / name for name in ("memory.max_usage_in_bytes", "memory.peak") if (group / name).exists()]
        used = [int(peak.read_text()) for peak in peaks]
    finally:
        end([group])
        remove([group])
    assert code in {-signal.SIGKILL, 0}  # with swap it may have gone on
    assert all(MEMORY_BYTES_MAX // 2 < peak <= MEMORY_BYTES_MAX for peak in used)


def test_where_memory_cannot_be_limited_no_group_is_left(tmp_path) -> None:
    with pytest.raises(FileNotFoundError):  # of a kernel it is the file that cannot be written: EBUSY
        ControlGroups(unified=tmp_path, memory=None).make_limited("a", 1 << 30)
    assert [] == list(tmp_path.iterdir())


def test_without_control_groups_the_reason_is_said() -> None:
    with pytest.raises(OSError, match="there are no control groups of version 2"):
        ControlGroups(None, None).make("a")


def mount(root: str, at: Path, kind: str, options: str) -> str:
    return f"31 23 0:28 {root} {at} rw,relatime shared:9 - {kind} {kind} {options}\n"


def test_our_own_groups_are_found_below_their_mounts(tmp_path) -> None:
    (tmp_path / "unified/user.slice/a").mkdir(parents=True)
    (tmp_path / "memory/b").mkdir(parents=True)
    own = "4:memory:/docker/x/b\n3:cpuset:/\n0::/user.slice/a\n"
    mounts = (
        mount("/", tmp_path / "cpu", "cgroup", "rw,cpu")
        + mount("/docker/x", tmp_path / "memory", "cgroup", "rw,memory")
        + mount("/", tmp_path / "unified", "cgroup2", "rw")
    )
    found = find_control_groups(own, mounts)
    assert ControlGroups(tmp_path / "unified/user.slice/a", tmp_path / "memory/b") == found


def test_groups_of_a_mount_that_is_not_here_are_none(tmp_path) -> None:
    assert ControlGroups(None, None) == find_control_groups("0::/a\n", mount("/", tmp_path / "no", "cgroup2", "rw"))
    assert ControlGroups(None, None) == find_control_groups("", "")

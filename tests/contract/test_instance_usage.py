"""What the kernel says that processes use."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from moorage.core.metrics.utilization import cpu_percent
from moorage.core.model import InstanceSpec
from moorage.runners.process.usage import Metered, measure
from moorage.runners.usage import Usage
from moorage.testing.builders import make_endpoint, specs_of

MIB = 1 << 20
FAMILY = f"""
import os, time
held = bytearray(os.urandom({64 * MIB}))
if os.fork():
    print("ready", flush=True)
    while True:
        time.sleep(60)
while True:
    pass
"""
"""A process that holds memory and sleeps, and its child, which is never idle."""


@pytest.fixture
def leader() -> Iterator[int]:
    process = subprocess.Popen([sys.executable, "-c", FAMILY], stdout=subprocess.PIPE, start_new_session=True)
    assert process.stdout is not None
    assert b"ready\n" == process.stdout.readline()
    yield process.pid
    os.killpg(process.pid, 9)
    process.wait()
    process.stdout.close()


def make_spec() -> InstanceSpec:
    endpoint = make_endpoint()
    return specs_of(endpoint, endpoint.target or endpoint.serving)[0]


def look(spec: InstanceSpec, folder: Path, *leaders: int, with_memory: bool = True) -> Usage:
    (usage,) = measure([Metered(spec, leaders, folder)], at_s=time.monotonic(), with_memory=with_memory)
    return usage


def test_a_whole_family_is_measured(leader: int, tmp_path: Path) -> None:
    spec = make_spec()
    before = look(spec, tmp_path, leader)
    deadline = time.monotonic() + 30
    while True:
        time.sleep(0.2)
        now = look(spec, tmp_path, leader)
        percent = cpu_percent(before.cpu_s, now.cpu_s, elapsed_s=now.at_s - before.at_s)
        if 1.0 < percent < 150.0 or time.monotonic() > deadline:  # a look that was held up tells too much
            break
    assert 2 == len(now.cpu_s)
    assert 1.0 < percent < 150.0
    assert now.memory_bytes is not None
    # What the two share counts once.
    assert 64 * MIB <= now.memory_bytes < 120 * MIB
    assert 0.0 < now.disk_percent <= 100.0
    assert (spec.id, spec.endpoint, spec.variant.name) == (now.instance, now.endpoint, now.variant)


def test_memory_is_left_out_unless_asked_for(leader: int, tmp_path: Path) -> None:
    assert look(make_spec(), tmp_path, leader, with_memory=False).memory_bytes is None


def test_an_instance_without_processes_uses_nothing(tmp_path: Path) -> None:
    usage = look(make_spec(), tmp_path / "gone")
    assert ({}, 0, 0.0) == (usage.cpu_s, usage.memory_bytes, usage.disk_percent)

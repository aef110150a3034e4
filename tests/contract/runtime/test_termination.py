"""SIGTERM ends what it is sent to: the process that serves, or one that a model's code has forked."""

from __future__ import annotations

import subprocess
import sys

SERVES = """
import asyncio, os, signal
from moorage.runtime.termination import hear_termination

AT_ONCE = {at_once}

def forked():
    if AT_ONCE:
        os.kill(os.getpid(), signal.SIGTERM)  # before our own hook of the child runs: hooks run in order

os.register_at_fork(after_in_child=forked)

def fork():
    child = os.fork()
    if child == 0:
        while True:
            signal.pause()
    if not AT_ONCE:
        os.kill(child, signal.SIGTERM)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

async def main():
    terminated = hear_termination()
    print("child", await asyncio.to_thread(fork), "served on", not terminated.is_set())
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(terminated.wait(), 50)
    print("ended")

asyncio.run(main())
"""


def served(*, at_once: bool) -> list[str]:
    command = [sys.executable, "-c", SERVES.format(at_once=at_once)]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.splitlines()


def test_a_child_is_ended_by_it_and_its_parent_serves_on() -> None:
    assert ["child -15 served on True", "ended"] == served(at_once=False)


def test_it_is_not_lost_on_a_child_that_is_just_being_forked() -> None:
    assert ["child -15 served on True", "ended"] == served(at_once=True)

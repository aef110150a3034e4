"""The agent's end of a fork, where the process is faster than the agent."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from moorage.runners.process.instance_process import InstanceProcess
from moorage.runners.process.place import Place
from moorage.runners.process.process_folder import ProcessFolder
from moorage.system.clock import SystemClock
from moorage.testing.agent import is_alive

CLAIMS = """
import subprocess, sys
from pathlib import Path
from moorage.runtime.claim import claim
print(subprocess.Popen(["sleep", "600"], stdout=subprocess.DEVNULL).pid)
claim(Path(sys.argv[1]), sys.argv[2])
"""


class ShortLived:
    """A nursery whose instance claims its folder, starts a process and has ended before the agent knows it."""

    def fork(self, folder: Path, token: str) -> int:
        command = [sys.executable, "-c", CLAIMS, str(folder), token]
        self.started = int(subprocess.run(command, stdout=subprocess.PIPE, check=True, start_new_session=True).stdout)
        reading, writing = os.pipe()
        os.write(writing, b"claimed\n")
        os.close(writing)
        return reading


async def test_what_an_instance_started_that_has_ended_already_is_ended_too(tmp_path: Path) -> None:
    folder = ProcessFolder(tmp_path / "instance")
    folder.make()
    place = Place(folder, tmp_path / "socket", tmp_path / "log")
    process, nursery = InstanceProcess(place, clock=SystemClock(), ping_timeout_s=1.0), ShortLived()
    await process.fork(nursery, {})
    async with asyncio.timeout(90):
        while is_alive(nursery.started):
            await asyncio.sleep(0.01)
    assert process.pid is None
    process.let_go()

"""An instance's model server in a process of its own, on TCP, because wrk speaks nothing else."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from harness.machine import free_port, pinned
from harness.processes import Served, wait_for

_PROGRAM: Final = """
import os, socket, sys
from pathlib import Path
from moorage.runtime import toolkit
from moorage.runtime.serving import serve
from moorage.runtime.settings import read_settings

settings = read_settings(os.environ)
model = toolkit.load(Path(sys.argv[1]), os.environ, settings, framework=sys.argv[2], say=print)
sock = socket.socket()
sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
sock.bind(("127.0.0.1", int(sys.argv[3])))
sys.exit(serve(model, sock, settings.workers or 1, on_listening=lambda: None, say=print))
"""
_ONE_THREAD: Final = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""As nurseries have it."""


@contextlib.contextmanager
def instance(folder: Path, framework: str, environment: Mapping[str, str], *on: int) -> Iterator[Served]:
    """The model in `folder`, served on these cores."""
    port = free_port()
    command = pinned([sys.executable, "-c", _PROGRAM, str(folder), framework, str(port)], *on)
    with tempfile.NamedTemporaryFile() as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, **_ONE_THREAD, **environment})
        try:
            wait_for(f"127.0.0.1:{port}", process, Path(log.name))
            yield Served(process.pid, f"127.0.0.1:{port}")
        finally:
            process.terminate()
            process.wait()

"""An instance's server in a process of its own, as `runtime.instance` starts it, without an agent."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_PROGRAM = """
import os, sys
from pathlib import Path
from moorage.runtime import toolkit
from moorage.runtime.serving import serve
from moorage.runtime.settings import read_settings
from moorage.wire.server import bind

def say(text):
    print(text, file=sys.stderr, flush=True)

settings = read_settings(os.environ)
model = toolkit.load(Path(sys.argv[1]), os.environ, settings, framework=sys.argv[3], say=say)
sock = bind(Path(sys.argv[2]))
sys.exit(serve(model, sock, settings.workers or 1, on_listening=lambda: print("ready", flush=True), say=say))
"""


class ServerProcess:
    """Serves the model in `folder` on a Unix socket until closed. What it logs is in `log()`."""

    def __init__(self, folder: Path, *, framework: str = "sklearn", **environment: str) -> None:
        self.socket = folder / "s.sock"
        self._log = folder / "log"
        self._connections: list[Connection] = []
        one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", _PROGRAM, str(folder), str(self.socket), framework],
                stdout=subprocess.PIPE,
                stderr=log,
                env={**os.environ, **one_thread, **environment},
            )
        assert self.process.stdout is not None
        said = self.process.stdout.readline()
        if said != b"ready\n":
            self.process.wait()
            raise RuntimeError(self.log())

    def log(self) -> str:
        return self._log.read_text()

    def connect(self) -> Connection:
        """A connection that is closed with the server."""
        connection = Connection(str(self.socket))
        self._connections.append(connection)
        return connection

    def ask(self, body: bytes, path: str = "/invocations", **headers: str) -> tuple[int, bytes]:
        """Status and body, over a connection of its own."""
        with contextlib.closing(Connection(str(self.socket))) as connection:
            return connection.ask(body, path, **headers)

    def children(self) -> list[int]:
        """The processes that it forked."""
        pid = self.process.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def stop(self) -> int:
        """End it as the agent does. Answers its status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(90)

    def close(self) -> None:
        """End it, however it is, and every connection."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for connection in self._connections:
            connection.close()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def wait_for(self, text: str) -> None:
        """Until `text` is in the log."""
        until = time.monotonic() + 90
        while text not in self.log():
            assert time.monotonic() < until, self.log()
            time.sleep(0.02)


class Connection(http.client.HTTPConnection):
    """One kept-alive connection to a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=90)
        self._path = path
        self.fields: Mapping[str, str] = {}
        """The header fields of the last answer, names in lower case."""

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)

    def ask(self, body: bytes, path: str = "/invocations", **headers: Any) -> tuple[int, bytes]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        method = "GET" if path == "/ping" else "POST"
        self.request(method, path, None if method == "GET" else body, {"content-type": "application/json", **named})
        answer = self.getresponse()
        self.fields = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, answer.read()

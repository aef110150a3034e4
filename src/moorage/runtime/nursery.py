"""A process with a framework imported, which forks instances. Its arguments are FD MODULE,… OPTIONAL-MODULE,….

Importing scikit-learn takes a second or more, a fork a few milliseconds: so it is imported once. The agent holds the
other end of the socket FD and sends one message for each instance to fork; the nursery sends back

    {"hello": PID}                            once, when everything is imported
    {"absent": "No module named 'sklearn'"}   instead, if that fails; it then exits
    {"exited": PID, "status": WAIT_STATUS}    for each instance that ends, as its parent

It has one thread, since a fork takes no other along. When the agent is gone it ends, also in the middle of an import;
its children live on.
"""

from __future__ import annotations

import array
import contextlib
import ctypes
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any, Final

from moorage.runtime import codecs, instance  # noqa: F401 - what every instance needs is imported before the fork
from moorage.runtime.sandbox.enter import prepare

_MESSAGE_BYTES_MAX: Final = 65_536
_PR_SET_PDEATHSIG: Final = 1


def main() -> None:
    """Import, then fork an instance for each message, until the agent hangs up."""
    agent = socket.socket(fileno=int(sys.argv[1]))
    os.set_inheritable(agent.fileno(), False)
    _die_with(agent)
    os.umask(0o022)  # what is compiled here is for instances of any user
    try:
        _import_all(sys.argv[2].split(","), optional=sys.argv[3].split(","))
    except ImportError as error:
        _send(agent, {"absent": str(error)})
        sys.exit(1)
    prepare()
    gc.collect()
    gc.freeze()  # what is imported is never collected, and its pages stay shared with the children
    signal.signal(signal.SIGCHLD, lambda number, frame: _reap(agent, number, frame))
    _send(agent, {"hello": os.getpid()})
    _fork_on_request(agent)


def _die_with(agent: socket.socket) -> None:
    """End as soon as the agent does. No child inherits this."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if select.select([agent], [], [], 0)[0]:
        sys.exit()  # it is gone: there is nothing else to hear before we have said hello


def _import_all(names: Sequence[str], *, optional: Sequence[str]) -> None:
    for name in filter(None, names):
        importlib.import_module(name)
    for name in filter(None, optional):
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def _fork_on_request(agent: socket.socket) -> None:
    while True:
        message, report = _receive(agent)
        if message is None:
            return
        if os.fork() == 0:
            instance.reset_signals()
            agent.close()
            instance.become_instance(Path(message["folder"]), message["token"], report)
        os.close(report)


def _receive(agent: socket.socket) -> tuple[dict[str, Any] | None, int]:
    """The next message and the descriptor that came with it; None when the agent is gone."""
    descriptors = array.array("i")
    data, ancillary, _, _ = agent.recvmsg(_MESSAGE_BYTES_MAX, socket.CMSG_SPACE(descriptors.itemsize))
    if not data:
        return None, -1
    for level, kind, content in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            descriptors.frombytes(content)
            os.set_inheritable(descriptors[0], False)
    return json.loads(data), descriptors[0]


def _reap(agent: socket.socket, _number: int, _frame: FrameType | None) -> None:
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            _send(agent, {"exited": pid, "status": status})


def _send(agent: socket.socket, message: dict[str, Any]) -> None:
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        agent.send(json.dumps(message).encode())

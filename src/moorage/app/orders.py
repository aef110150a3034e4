"""What the `moorage` command asks of a running supervisor, as lines of JSON on a Unix socket that is its owner's alone.

    command     {"type":"Restart"}
    supervisor  {"type":"Restarted","part":"control","pid":4711} …, as each process takes its predecessor's place
                {"type":"Finished"}  or  {"type":"NotDone","why":"…"}

An order that was given is carried out to its end, whether or not the one who gave it still listens.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import msgspec

from moorage.app.children import ChildFailed, Restarted
from moorage.system.tasks import BackgroundTasks

log = logging.getLogger(__name__)


class Restart(msgspec.Struct, frozen=True, tag=True):
    """Exchange every process for one that runs the code that is installed now."""


class Finished(msgspec.Struct, frozen=True, tag=True):
    """It was carried out."""


class NotDone(msgspec.Struct, frozen=True, tag=True):
    """It was not, or only in part."""

    why: str


Reply = Restarted | Finished | NotDone


class OrderRefused(Exception):
    """The supervisor could not do what it was asked for; the message says why."""


class Orders:
    """The supervisor's side. `restart` raises ChildFailed, OSError."""

    def __init__(self, restart: Callable[[], AsyncIterator[Restarted]]) -> None:
        self._restart = restart
        self._is_busy = False
        self._work = BackgroundTasks()
        self._server: asyncio.Server | None = None

    async def listen(self, path: Path) -> None:
        """Take orders from now on. Raises OSError."""
        self._server = await asyncio.start_unix_server(self._serve, sock=_bind(path))

    async def close(self, path: Path) -> None:
        """Take no more, and break off what is going on."""
        if self._server is not None:
            self._server.close()
            _unlink(path)
        await self._work.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            msgspec.json.decode(await reader.readline(), type=Restart)
        except (ValueError, msgspec.MsgspecError):
            writer.close()
        else:
            self._work.start(self._carry_out(writer), name="restart")

    async def _carry_out(self, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer):
            if self._is_busy:
                _reply(writer, NotDone("A restart is going on already"))
                return
            self._is_busy = True
            try:
                async for restarted in self._restart():
                    log.info("%s was restarted as pid %d", restarted.part, restarted.pid)
                    _reply(writer, restarted)
            except (ChildFailed, OSError) as error:
                log.error("the restart was broken off: %s", error)  # noqa: TRY400 - the traceback says nothing more
                _reply(writer, NotDone(str(error)))
            else:
                _reply(writer, Finished())
            finally:
                self._is_busy = False


def give_restart(path: Path, *, timeout_s: float) -> Iterator[Restarted]:
    """Have the supervisor at `path` restart everything; yields as it goes on. Raises OrderRefused, OSError.

    `timeout_s` is the longest time between two replies.
    """
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(timeout_s)
        connection.connect(os.fspath(path))
        connection.sendall(_line(Restart()))
        with connection.makefile("rb") as replies:
            for line in replies:
                reply: Reply = msgspec.json.decode(line, type=Reply)
                match reply:
                    case Restarted():
                        yield reply
                    case NotDone(why):
                        raise OrderRefused(why)
                    case Finished():
                        return
    raise OrderRefused("Moorage ended before it had finished")


def _bind(path: Path) -> socket.socket:
    _unlink(path)  # left by a dead supervisor: we hold its lock
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(os.fspath(path))
    path.chmod(0o600)
    return sock


def _unlink(path: Path) -> None:
    path.unlink(missing_ok=True)


def _reply(writer: asyncio.StreamWriter, reply: Reply) -> None:
    writer.write(_line(reply))  # to one who has left it goes nowhere


def _line(message: msgspec.Struct) -> bytes:
    return msgspec.json.encode(message) + b"\n"

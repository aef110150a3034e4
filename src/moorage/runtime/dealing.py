"""Connections to an instance, accepted by the parent of its workers and dealt out to them."""

from __future__ import annotations

import contextlib
import selectors
import socket
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from moorage.runtime.worker import TAKEN

_BACKLOG: Final = 4096
_ACCEPTED_AT_ONCE: Final = 64


@dataclass(slots=True, eq=False)
class Worker:
    """A worker as its parent knows it."""

    number: int
    pid: int
    channel: socket.socket
    began: float
    is_up: bool = False
    untaken: int = 0
    """Connections that were dealt to it and that it has not taken: it is busy, or stuck."""
    connections: int = 0


class Dealer:
    """Accepts for `workers`. Without any, connections wait where the kernel keeps them."""

    def __init__(self, sock: socket.socket, workers: Mapping[int, Worker], selector: selectors.BaseSelector) -> None:
        self._sock = sock
        self._workers = workers
        self._selector = selector
        self._accepts = False
        sock.listen(_BACKLOG)
        sock.setblocking(False)

    def look(self) -> None:
        """Accept from now on if there is a worker, and only then."""
        wanted = bool(self._workers)
        if wanted and not self._accepts:
            self._selector.register(self._sock, selectors.EVENT_READ, self.deal)
        elif self._accepts and not wanted:
            self._selector.unregister(self._sock)
        self._accepts = wanted

    def deal(self) -> None:
        """Accept what is waiting, each for the worker with the least to do."""
        with contextlib.suppress(BlockingIOError):
            for _ in range(_ACCEPTED_AT_ONCE):
                connection, _ = self._sock.accept()
                with connection:
                    deal_out(connection, self._workers.values())

    def close(self) -> None:
        """Accept no more. Whoever has connected already counts on us."""
        self.deal()
        if self._accepts:
            self._selector.unregister(self._sock)
            self._accepts = False
        self._sock.close()

    def leave(self) -> None:
        """Give up the socket in a child; the parent goes on with it."""
        self._sock.close()


def deal_out(connection: socket.socket, workers: Collection[Worker]) -> None:
    """Give a connection to the one of `workers` with the least to do."""
    for worker in sorted(workers, key=lambda worker: (worker.untaken, worker.connections)):
        try:
            socket.send_fds(worker.channel, [TAKEN], [connection.fileno()])
        except OSError:  # it has just ended, or has long taken nothing: the next one
            continue
        worker.untaken += 1
        worker.connections += 1
        return

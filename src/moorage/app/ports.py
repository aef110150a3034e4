"""The port: one listening socket for each gateway worker, all on the same address by SO_REUSEPORT.

The kernel spreads connections over the sockets, and would give a share to a second Moorage of the same user as well. So
a port is taken only once a socket without SO_REUSEPORT could be bound to it, which fails while anybody listens, and no
other Moorage of this user may be between that look and its own listening.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import time
from collections.abc import Iterator
from typing import Final

BACKLOG: Final = 4096
_POLL_S: Final = 0.02
_TURN_TIMEOUT_S: Final = 5.0


def open_listeners(host: str, port: int, *, count: int, patience_s: float) -> list[socket.socket]:
    """`count` sockets that listen on one port; 0 takes a free one.

    Waits up to `patience_s` for the port to become free. Raises OSError.
    """
    deadline = time.monotonic() + patience_s
    while True:
        try:
            with _turn():
                return _listen(host, free_port(host, port), count)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() > deadline:
                raise
        time.sleep(_POLL_S)


def free_port(host: str, port: int) -> int:
    """The port itself, or one that is free for 0. Raises OSError if anybody listens there."""
    with socket.socket(_family(host)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections of a run before do not matter
        if probe.family == socket.AF_INET6:
            probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        probe.bind((host, port))
        bound: int = probe.getsockname()[1]
    return bound


def _listen(host: str, port: int, count: int) -> list[socket.socket]:
    with contextlib.ExitStack() as opened:
        listeners = [
            opened.enter_context(
                socket.create_server((host, port), family=_family(host), backlog=BACKLOG, reuse_port=True)
            )
            for _ in range(count)
        ]
        opened.pop_all()
    return listeners


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


@contextlib.contextmanager
def _turn() -> Iterator[None]:
    """Be the only Moorage of this user that is taking a port.

    The lock is a name for a Unix socket without a file: like a port it belongs to the network namespace, and the kernel
    lets go of it when its holder dies.
    """
    deadline = time.monotonic() + _TURN_TIMEOUT_S
    with socket.socket(socket.AF_UNIX) as lock:
        while True:
            try:
                lock.bind(f"\0moorage-takes-a-port-{os.getuid()}")
                break
            except OSError as error:
                if error.errno != errno.EADDRINUSE or time.monotonic() > deadline:
                    raise
            time.sleep(0.001)
        yield

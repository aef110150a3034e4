"""A network namespace: nothing but a loopback of its own, and abstract Unix sockets of its own."""

from __future__ import annotations

import fcntl
import socket
import struct
from typing import Final

_SET_FLAGS: Final = 0x8914
_UP_AND_RUNNING: Final = 0x41


def raise_loopback() -> None:
    """Let this process's network namespace, which must be a new one, talk to itself: frameworks do. Raises OSError."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sh14x", b"lo", _UP_AND_RUNNING))

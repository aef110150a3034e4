"""The Unix socket on which gateways ask control to wake variants: one datagram a variant, and no answer.

Whoever asks never waits: a datagram that cannot be sent now, because nobody is there or too many wait, is not sent.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from moorage.core.model import VariantKey

_DATAGRAM_BYTES_MAX: Final = 1024
_READ_AT_ONCE: Final = 64

_log = logging.getLogger(__name__)


class WakeSender:
    """The gateways' end. Finds whoever listens at `path` each time anew."""

    def __init__(self, path: Path) -> None:
        self._path = str(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)

    def ring(self, key: VariantKey) -> bool:
        """Ask for the variant to be woken; whether that was sent off."""
        try:
            self._socket.sendto(msgspec.json.encode(key), self._path)
        except OSError:  # nobody listens, or too much is there to be read
            return False
        return True

    def close(self) -> None:
        """Send no more."""
        self._socket.close()


class WakeReceiver:
    """Control's end: calls `on_ring` for each datagram from `open` to `close`."""

    def __init__(self, path: Path, on_ring: Callable[[VariantKey], None]) -> None:
        self._path = path
        self._on_ring = on_ring
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)

    def open(self) -> None:
        """Listen, in the place of one that was killed. For this user alone. Raises OSError."""
        self._path.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            self._socket.bind(str(self._path))
        finally:
            os.umask(before)
        asyncio.get_running_loop().add_reader(self._socket, self._read)

    def close(self) -> None:
        """Listen no more, and leave nothing."""
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()
        self._path.unlink(missing_ok=True)

    def _read(self) -> None:
        for _ in range(_READ_AT_ONCE):
            try:
                datagram = self._socket.recv(_DATAGRAM_BYTES_MAX)
            except BlockingIOError:
                return
            try:
                key = msgspec.json.decode(datagram, type=VariantKey)
            except msgspec.MsgspecError as error:
                _log.warning("%s: not a variant: %s", self._path, error)
            else:
                self._on_ring(key)

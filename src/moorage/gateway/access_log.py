"""The access log: a line of JSON for some of the invocations, as many as were asked for and no more.

Of successes a sample is kept: while there are few every one, when there are many about so many a second, and each line
says how many it stands for. Failures are kept up to a number a second; the log says how many more there were. So its
size follows from the settings and not from the traffic. What control answers is not here: only the gateway's own work.

On the way of most invocations this is one counter. Kept ones are encoded at once (1 µs) into a buffer, which a thread
appends to the file every second, so that no invocation ever waits for a disk.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Final

import msgspec

from moorage.gateway.sampling import Sample
from moorage.system.clock import Clock
from moorage.system.tasks import to_its_end

FLUSH_S: Final = 1.0

_encode_into: Final = msgspec.json.Encoder().encode_into
_log = logging.getLogger(__name__)


class Entry(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    """One invocation, when it is over. What is not known, or does not apply, is not in the line.

    No text may be a caller's unless it has been checked: names are those of the route table or follow AWS's pattern.
    """

    time: datetime | None = None
    """When it was over. Set by the log."""
    request_id: str
    operation: str
    """AWS's name of it, such as InvokeEndpoint."""
    region: str = ""
    endpoint: str = ""
    variant: str = ""
    instance: str = ""
    principal: str = ""
    """Who called: an ARN."""
    status: int
    """What the caller got; 0 if it left before."""
    error: str = ""
    """The error's code."""
    bytes_in: int = 0
    """Of the body, as is `bytes_out`."""
    bytes_out: int = 0
    model_us: int = -1
    """Microseconds that the instance took."""
    overhead_us: int = -1
    """Microseconds that the gateway took besides."""
    containers_us: dict[str, int] = {}
    """Microseconds that each of several containers took."""
    trace_id: str = ""
    stands_for: int = 1
    """How many successes are told of by this one. Set by the log."""


class Missing(msgspec.Struct, kw_only=True):
    """A line about lines: how many have not been written, for want of room or for a disk that did not take them."""

    time: datetime
    missing: int


class AccessLog:
    """One worker's. `append` takes whole lines for the file; it may block, and raises OSError."""

    def __init__(
        self, append: Callable[[bytes], None], *, clock: Clock, successes_per_s: int, failures_per_s: int
    ) -> None:
        self.successes = Sample(successes_per_s)
        """To be asked before `add_success`, as its docstring has it."""
        self.failures_left = failures_per_s
        """If this is 0, add 1 to `missing` instead of calling `add_failure`."""
        self.missing = 0
        self._append = append
        self._clock = clock
        self._failures_per_s = failures_per_s
        self._pending = bytearray()
        self._pending_lines = 0
        self._is_failing = False

    def add_success(self, entry: Entry) -> None:
        """The success that was due."""
        entry.stands_for = self.successes.take()
        self._add(entry)

    def add_failure(self, entry: Entry) -> None:
        """An invocation that was answered with an error, or not at all."""
        self.failures_left -= 1
        self._add(entry)

    async def keep(self) -> None:
        """Flush every second until cancelled, and once more then."""
        try:
            while True:
                await self._clock.sleep(FLUSH_S)
                await to_its_end(self.flush())
        finally:
            await self.flush()

    async def flush(self) -> None:
        """Begin another second, and have what the last one left written.

        While the file keeps us waiting no second begins, so that what waits is bounded by the rates.
        """
        self.successes.begin_second()
        self.failures_left = self._failures_per_s
        missing, self.missing = self.missing, 0
        if missing:
            self._encode(Missing(time=self._clock.now(), missing=missing))
        lines, self._pending_lines = self._pending_lines, 0
        content, self._pending = bytes(self._pending), bytearray()
        if content and not await self._write(content):
            self.missing += lines + missing

    def _add(self, entry: Entry) -> None:
        entry.time = self._clock.now()
        self._encode(entry)
        self._pending_lines += 1

    def _encode(self, line: Entry | Missing) -> None:
        _encode_into(line, self._pending, -1)
        self._pending += b"\n"

    async def _write(self, content: bytes) -> bool:
        try:
            await asyncio.to_thread(self._append, content)
        except OSError as error:
            if not self._is_failing:
                _log.warning("the access log cannot be written, lines are missing from now on: %s", error)
            self._is_failing = True
            return False
        self._is_failing = False
        return True

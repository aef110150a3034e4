"""What an instance prints, as lines with a time: the platform's words and the model's in one file.

Python's own streams are wrapped; whatever native code writes to descriptors 1 and 2 goes to the same file as it is,
and belongs to the line before it. The processes of an instance share a lock on the file for life: by it the platform
knows that somebody still writes to it.
"""

from __future__ import annotations

import fcntl
import io
import os
import re
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from moorage.runtime.log_allowance import LogAllowance

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

LINE_BYTES_MAX: Final = 65_536
BYTES_PER_S_DEFAULT: Final = 1 << 20

_CONTROL: Final = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


class TimedLines(io.RawIOBase):
    """A stream that writes whole lines to `descriptor`, each behind its time in UTC.

    `2026-11-21T02:55:00.123Z text`. A line goes out in one write, so that lines of several threads do not mix. What
    has no line break yet waits for one, or for `finish`.
    """

    def __init__(self, descriptor: int, *, bytes_per_s: int = BYTES_PER_S_DEFAULT) -> None:
        self._descriptor = descriptor
        self._allowance = LogAllowance(descriptor, bytes_per_s)
        self._lock = threading.Lock()
        self._pending = b""

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def write(self, data: ReadableBuffer) -> int:
        new = bytes(data)
        with self._lock:
            *lines, self._pending = (self._pending + new).split(b"\n")
            if len(self._pending) > LINE_BYTES_MAX:
                lines.append(self._pending)
                self._pending = b""
            self._emit(lines)
        return len(new)

    def finish(self) -> None:
        """Write out an unfinished line, and say what was left out."""
        with self._lock:
            if self._pending:
                self._emit([self._pending])
                self._pending = b""
            self._say(self._allowance.left_out(), time.time())

    def _emit(self, lines: list[bytes]) -> None:
        if lines:
            now = time.time()
            prefix = timestamp(now).encode()
            text = b"".join(b"%b %b\n" % (prefix, _printable(line)) for line in lines)
            is_admitted, said = self._allowance.admit(len(lines), len(text), now)
            self._say(said, now)
            if is_admitted:
                os.write(self._descriptor, text)

    def _say(self, text: str | None, now: float) -> None:
        if text is not None:
            os.write(self._descriptor, f"{timestamp(now)} moorage: {text}\n".encode())


def timestamp(seconds: float) -> str:
    """`2026-11-21T02:55:00.123Z`."""
    whole, milliseconds = divmod(int(seconds * 1000), 1000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(whole))}.{milliseconds:03d}Z"


def redirect_output(path: str, *, bytes_per_s: int = BYTES_PER_S_DEFAULT) -> None:
    """Send this process's standard output and error to the end of the log file at `path`, input from nowhere."""
    log = _open_log(path)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    os.close(log)
    os.close(nothing)
    sys.stdout, sys.stderr = _text(1, bytes_per_s), _text(2, bytes_per_s)


def finish_output() -> None:
    """Write out unfinished lines, before the process ends without Python's own clean-up."""
    for stream in (sys.stdout, sys.stderr):
        lines = getattr(stream, "buffer", None)
        if isinstance(lines, TimedLines):
            lines.finish()


def _open_log(path: str) -> int:
    """The file that is at `path` once we share its lock: until then, it could be removed as one that nobody writes."""
    while True:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        try:
            log = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        except FileNotFoundError:
            continue  # the folder was removed since, as an empty one
        fcntl.flock(log, fcntl.LOCK_SH)
        if os.path.exists(path) and os.path.samestat(os.stat(path), os.fstat(log)):
            return log
        os.close(log)


def _text(descriptor: int, bytes_per_s: int) -> io.TextIOWrapper:
    # Unbuffered, as `python -u` has it; the stubs want a buffer here.
    lines: Any = TimedLines(descriptor, bytes_per_s=bytes_per_s)
    return io.TextIOWrapper(lines, encoding="utf-8", errors="backslashreplace", write_through=True)


def _printable(line: bytes) -> bytes:
    """The line without control characters, which could move a terminal's cursor or hide what stands before them."""
    return _CONTROL.sub(lambda found: b"\\x%02x" % found[0][0], line.rstrip(b"\r"))

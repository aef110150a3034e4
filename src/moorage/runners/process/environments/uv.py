"""Running uv: what it says on the way, and what its failures mean to us."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from moorage.runners.process.environments.child import end, helper
from moorage.runners.process.environments.source import PackageSource

Say = Callable[[str], None]
"""Takes a line for whoever waits."""

_CREDENTIALS: Final = re.compile(r"(?<=://)[^/@\s]+@")
_STEPS: Final = ("Resolved ", "Downloading ", "Prepared ", "Installed ")
_RESOLVING: Final = frozenset({"install", "compile"})
_UNREACHABLE: Final = re.compile(
    r"Failed to fetch|Request failed|error sending request|Failed to download|timed out|dns error|Could not connect"
    r"|network (?:was|is) disabled|connectivity is disabled|HTTP status server error|No space left"
)
_REFUSED_ANYHOW: Final = re.compile(r"Hash mismatch|HTTP status client error \(40[134]")
_BARRED: Final = re.compile(r"network was disabled|could not be queried|returned a 403")
"""What uv adds as a hint to "no solution" if it could not look."""
_CONCLUSION: Final = re.compile(
    r"^Because (.*?)(?:,? and you require [^,]*)?,? we can conclude that your requirements are unsatisfiable\.$"
)
_LINE_BYTES_MAX: Final = 1 << 20


class PackagesRefused(Exception):
    """These packages can never be installed so; the message is uv's reason on one line."""


class PackagesUnavailable(Exception):
    """The packages could not be had now; the message is the reason on one line."""


class Uv:
    """uv as a source tells it to be."""

    def __init__(self, source: PackageSource, cache: Path) -> None:
        self.may_add_torch_index = source.may_add_torch_index
        self._variables = source.uv_variables(cache)
        self._options = source.uv_options

    def impatient(self) -> Uv:
        """The same, but an index that does not answer at once is not asked again."""
        other = copy.copy(self)
        other._variables = {**self._variables, "UV_HTTP_RETRIES": "0", "UV_HTTP_TIMEOUT": "4"}
        return other

    async def run(self, *arguments: str | Path, say: Say | None = None, stdin: str = "") -> str:
        """Run a command of uv; answers its output. `say` gets its steps as they happen.

        Dies with us and with the task. Raises PackagesRefused, PackagesUnavailable.
        """
        options = self._options if arguments[0] == "pip" and arguments[1] in _RESOLVING else ()
        process = await asyncio.create_subprocess_exec(
            *helper(find_uv(), *map(str, arguments), *options),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=self._variables,
            cwd="/",
            limit=_LINE_BYTES_MAX,
        )
        try:
            async with asyncio.TaskGroup() as group:
                said = group.create_task(_follow(_of(process.stderr), say))
                output = group.create_task(_of(process.stdout).read())
                group.create_task(_write(process, stdin.encode()))
        except BaseException:
            await end(process)
            raise
        code = await process.wait()
        if code != 0:
            raise failure(said.result())
        return output.result().decode()


def find_uv() -> str:
    """The path of uv: the one installed with Moorage, else the one on the path. Raises PackagesRefused."""
    try:
        from uv import find_uv_bin
    except ImportError:
        found = shutil.which("uv")
    else:
        with contextlib.suppress(FileNotFoundError):
            return str(find_uv_bin())
        found = shutil.which("uv")
    if found is None:
        raise PackagesRefused("uv, which builds environments, is not installed beside Moorage: pip install uv")
    return found


def failure(said: Sequence[str]) -> PackagesRefused | PackagesUnavailable:
    """What uv's complaint comes to.

    `["error: No solution found …", "  cause: Because there is no version of x==9 …"]` → `there is no version of x==9`.
    """
    lines = [line.strip() for line in said if line.strip()]
    error, causes, hints = (_marked(lines, mark) for mark in ("error: ", "cause: ", "hint: "))
    barred = next(filter(_BARRED.search, hints), None)
    if barred is not None:
        return PackagesUnavailable(barred)
    everything = "\n".join(lines)
    if _UNREACHABLE.search(everything) and not _REFUSED_ANYHOW.search(everything):
        return PackagesUnavailable(": ".join([*error, *causes[-1:]]))
    return PackagesRefused(_CONCLUSION.sub(r"\1", next(iter([*causes, *error]), "uv failed")))


def _marked(lines: Sequence[str], mark: str) -> list[str]:
    return [line.removeprefix(mark) for line in lines if line.startswith(mark)]


def without_credentials(text: str) -> str:
    """The text without the `user:password@` of URLs."""
    return _CREDENTIALS.sub("", text)


async def _follow(stream: asyncio.StreamReader, say: Say | None) -> list[str]:
    lines: list[str] = []
    async for line in stream:
        text = without_credentials(line.decode(errors="replace")).rstrip()
        lines.append(text)
        if say is not None and text.strip().startswith(_STEPS):
            say(text[0].lower() + text[1:])
    return lines


async def _write(process: asyncio.subprocess.Process, data: bytes) -> None:
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        process.stdin.write(data)
        await process.stdin.drain()
    process.stdin.close()


def _of(stream: asyncio.StreamReader | None) -> asyncio.StreamReader:
    assert stream is not None
    return stream

"""What this machine lets this process confine its instances with. Found out by trying, in a process of its own."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from typing import Final

import msgspec

MEANS: Final = (
    "user",
    "view",
    "user and view",
    "view in a user namespace",
    "network",
    "network in a user namespace",
    "seccomp",
)
_PROBE: Final = "moorage.runtime.sandbox.probe"
_TIMEOUT_S: Final = 30.0


class Machine(msgspec.Struct, frozen=True):
    """The answer of `moorage.runtime.sandbox.probe`."""

    failures: Mapping[str, str | None]
    """By means, see `MEANS`. None is success."""
    landlock: int
    """Which version the kernel has; 0 is none."""

    def can(self, means: str) -> bool:
        """Whether the trial of `means` went well."""
        return self.failures.get(means, "it was not tried") is None

    @property
    def has_view(self) -> bool:
        """Whether a process can have a view of files of its own."""
        return self.can("view") or self.can("view in a user namespace")

    @property
    def has_users(self) -> bool:
        """Whether a process can be a user of its own."""
        return self.why_no_users is None

    @property
    def why_no_users(self) -> str | None:
        """Why no process can be a user of its own. Without a view, only Landlock keeps that from others' files."""
        if self.has_view:
            return None if self.can("user and view") else self.failures["user"] or self.failures["user and view"]
        return self.failures["user"] or (None if self.landlock else "the kernel does not offer Landlock")


def unexamined(reason: str) -> Machine:
    """A machine of which nothing can be said, so nothing is relied on."""
    return Machine(dict.fromkeys(MEANS, reason), 0)


async def examine(user: int) -> Machine:
    """Try everything; `user` is a uid that nobody has."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", _PROBE, str(user)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        env={},
        cwd="/",
    )
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            answer, _ = await process.communicate()
        return msgspec.json.decode(answer, type=Machine)
    except (TimeoutError, msgspec.MsgspecError):
        return unexamined(f"the examination of this machine did not end well (code {process.returncode})")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()

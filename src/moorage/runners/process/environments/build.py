"""Building one environment: beside its place, then there by a rename, so that one that can be seen is whole.

uv hard-links packages from its cache. The new environment has to import what its nursery will import before it counts,
and is on the disk before it is renamed: it outlives a power cut, and nobody checks it again.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from moorage.runners.process.environments.blueprint import Blueprint
from moorage.runners.process.environments.child import end, helper
from moorage.runners.process.environments.interpreters import Interpreter
from moorage.runners.process.environments.requirements_file import name_in
from moorage.runners.process.environments.uv import PackagesRefused, PackagesUnavailable, Say, Uv
from moorage.system import entropy

RECORD_NAME: Final = "environment.json"
NEW: Final = ".new-"
_CPU_TORCH: Final = ("--torch-backend", "cpu")
"""On PyPI, PyTorch comes with CUDA. Its own index has it for CPUs, a tenth of the size."""
_VERIFY: Final = (
    "import sys, importlib; sys.path.insert(0, sys.argv[1]);"
    " [importlib.import_module(name) for name in ('moorage.runtime.nursery', *sys.argv[2:])]"
)
_VERIFY_TIMEOUT_S: Final = 300.0


class EnvironmentRecord(msgspec.Struct, frozen=True):
    """What is written down in an environment."""

    title: str
    python: str
    """The interpreter it stands on."""
    requirements: tuple[str, ...]
    packages: tuple[str, ...]
    """All that is in it, `name==version`, as resolved when it was built."""


async def build(
    blueprint: Blueprint, interpreter: Interpreter, target: Path, *, runtime: Path, uv: Uv, say: Say
) -> None:
    """Build an environment at `target`. Raises PackagesRefused, PackagesUnavailable."""
    fresh = target.parent / f"{NEW}{entropy.new_uid()}"
    try:
        await uv.run("venv", "--relocatable", "--python", interpreter.path, fresh)
        python = fresh / "bin" / "python"
        await _install(blueprint, fresh, uv, say)
        say(f"trying the environment {blueprint.name}")
        await _verify(python, runtime, blueprint.modules)
        packages = (await uv.run("pip", "freeze", "--python", python)).split()
        record = EnvironmentRecord(
            f"{blueprint.name} on {interpreter}", interpreter.path, blueprint.requirements, tuple(packages)
        )
        (fresh / RECORD_NAME).write_bytes(msgspec.json.encode(record))
        await asyncio.to_thread(put_in_place, fresh, target)
    except OSError as error:
        raise PackagesUnavailable(f"{target.parent}: {error.strerror}") from error
    finally:
        await asyncio.to_thread(shutil.rmtree, fresh, ignore_errors=True)


async def _install(blueprint: Blueprint, folder: Path, uv: Uv, say: Say) -> None:
    wanted, constraints = folder / "requirements.txt", folder / "constraints.txt"
    wanted.write_text("\n".join(blueprint.requirements), encoding="utf-8")
    constraints.write_text("\n".join(blueprint.constraints), encoding="utf-8")
    install = ("pip", "install", "--no-build", "--python", folder / "bin" / "python", "-r", wanted, "-c", constraints)
    if uv.may_add_torch_index and any(name_in(line) == "torch" for line in blueprint.requirements):
        try:
            await uv.impatient().run(*install, *_CPU_TORCH, say=say)
        except (PackagesRefused, PackagesUnavailable) as error:
            say(f"PyTorch is taken from the usual index, which has it for GPUs, several GB: {error}")
        else:
            return
    await uv.run(*install, say=say)


def read_record(folder: Path) -> EnvironmentRecord | None:
    """What the environment says of itself; None if it is none, or its interpreter is gone."""
    try:
        record = msgspec.json.decode((folder / RECORD_NAME).read_bytes(), type=EnvironmentRecord)
    except (OSError, msgspec.MsgspecError):
        return None
    return record if os.access(folder / "bin" / "python", os.X_OK) else None


def read_records(root: Path) -> list[EnvironmentRecord]:
    """Of all environments below `root`."""
    return [
        record for path in sorted(root.glob(f"*/{RECORD_NAME}")) if (record := read_record(path.parent)) is not None
    ]


async def _verify(python: Path, runtime: Path, modules: Sequence[str]) -> None:
    """Import everything once, which also compiles it. Raises PackagesRefused, PackagesUnavailable."""
    process = await asyncio.create_subprocess_exec(
        *helper(str(python), "-I", "-c", _VERIFY, str(runtime), *modules),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env={},
        cwd="/",
    )
    try:
        async with asyncio.timeout(_VERIFY_TIMEOUT_S):
            _, said = await process.communicate()
    except TimeoutError:
        await end(process)
        raise PackagesUnavailable(f"importing {', '.join(modules)} took more than {_VERIFY_TIMEOUT_S:.0f} s") from None
    except asyncio.CancelledError:
        await end(process)
        raise
    if process.returncode != 0:
        lines = said.decode(errors="replace").strip().splitlines() or ["it said nothing"]
        raise PackagesRefused(f"what was installed cannot be imported: {lines[-1]}")


def put_in_place(fresh: Path, target: Path) -> None:
    """Move a finished folder to its place for good: on the disk first, then by a rename. Raises OSError."""
    folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        ctypes.CDLL(None).syncfs(folder)
        try:
            fresh.rename(target)
        except OSError:
            if not target.is_dir():  # another process was faster: one is as good as the other
                raise
        os.fsync(folder)
    finally:
        os.close(folder)

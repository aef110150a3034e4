"""What models' requirements.txt add to an environment: a folder that goes in front of `sys.path` in their instances.

An overlay holds only what the environment does not have already, and leaves what it has as it is: the nursery has
imported some of it. A file that does not go with the environment's versions needs an environment of its own, which
the caller then builds. Overlays with the same contents are one, whatever models ask for them.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from moorage.runners.process.environments.build import NEW, put_in_place
from moorage.runners.process.environments.environment import Environment
from moorage.runners.process.environments.requirements_file import Requirements, name_in
from moorage.runners.process.environments.uv import PackagesUnavailable, Say, Uv
from moorage.system import entropy

_PIN: Final = re.compile(r"[A-Za-z0-9._-]+==([^\s;]+)")


class Overlays:
    """Owns `root`."""

    def __init__(self, root: Path, uv: Uv) -> None:
        self._root = root
        self._uv = uv

    def find(self, environment: Environment, packages: Sequence[str], requirements: Requirements) -> Path | None:
        """The overlay if it is there. `packages` of the environment stay as they are."""
        path = self._path_of(environment, packages, requirements)
        if not path.is_dir():
            return None
        os.utime(path)  # when it was last wanted
        return path

    async def build(
        self, environment: Environment, packages: Sequence[str], requirements: Requirements, say: Say
    ) -> Path:
        """The overlay, built. Raises PackagesRefused, PackagesUnavailable."""
        target = self._path_of(environment, packages, requirements)
        self._root.mkdir(exist_ok=True, mode=0o755)
        scratch = self._root / f"{NEW}{entropy.new_uid()}"
        try:
            scratch.mkdir(mode=0o700)
            await self._install(scratch, environment, _pins(packages), requirements, say)
            await asyncio.to_thread(put_in_place, scratch / "packages", target)
        except OSError as error:
            raise PackagesUnavailable(f"{self._root}: {error.strerror}") from error
        finally:
            await asyncio.to_thread(shutil.rmtree, scratch, ignore_errors=True)
        return target

    async def _install(
        self, scratch: Path, environment: Environment, kept: Mapping[str, str], requirements: Requirements, say: Say
    ) -> None:
        pins = [f"{name}=={version}" for name, version in kept.items()]
        wanted = _write(scratch / "requirements.txt", requirements.lines)
        python = ("--no-build", "--python", environment.python)
        constraints = ("-c", _write(scratch / "constraints.txt", [*pins, *requirements.constraints]))
        resolved = await self._uv.run("pip", "compile", *python, "--no-annotate", "--no-header", *constraints, wanted)
        there = [name for name, version in _pins(resolved.splitlines()).items() if kept.get(name) == version]
        excludes = ("--excludes", _write(scratch / "excludes.txt", there))
        packages = scratch / "packages"
        packages.mkdir()
        packages.chmod(0o755)
        await self._uv.run(
            "pip", "install", *python, "--target", packages, *constraints, *excludes, "-r", wanted, say=say
        )

    def _path_of(self, environment: Environment, packages: Sequence[str], requirements: Requirements) -> Path:
        content = "\n".join([str(environment.python), *packages, requirements.digest])
        return self._root / hashlib.sha256(content.encode()).hexdigest()[:24]


def _pins(lines: Sequence[str]) -> dict[str, str]:
    """Versions by package, of those lines that state one."""
    return {name_in(line): found[1] for line in lines if (found := _PIN.match(line))}


def _write(path: Path, lines: Sequence[str]) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path

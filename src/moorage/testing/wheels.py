"""A package index in a folder, made on the spot: wheels of a line of code, and of what is installed here."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path, PurePosixPath
from typing import Final

RUNTIME: Final = ("httptools", "msgspec", "numpy", "uvloop")
"""What `moorage.runtime` needs: built environments are served from, so these have to be the real ones."""


def make_wheel(
    folder: Path, name: str, version: str, modules: Mapping[str, str] | None = None, *, requires: Sequence[str] = ()
) -> Path:
    """A wheel with these modules, by file name; with an empty one of its own name if none are given."""
    content = {f"{name.replace('-', '_')}.py": ""} if modules is None else dict(modules)
    lines = [
        "Metadata-Version: 2.1",
        f"Name: {name}",
        f"Version: {version}",
        *(f"Requires-Dist: {r}" for r in requires),
    ]
    info = f"{name.replace('-', '_')}-{version}.dist-info"
    content[f"{info}/METADATA"] = "\n".join(lines) + "\n"
    content[f"{info}/WHEEL"] = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    path = folder / f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for file, text in content.items():
            wheel.writestr(file, text)
        wheel.writestr(f"{info}/RECORD", "".join(f"{file},,\n" for file in [*content, f"{info}/RECORD"]))
    return path


def repack(folder: Path, name: str) -> Path:
    """The wheel that an installed distribution came from, near enough: for this Python."""
    distribution = metadata.distribution(name)
    tags = [line for line in (distribution.read_text("WHEEL") or "").splitlines() if line.startswith("Tag: ")]
    path = folder / f"{name}-{distribution.version}-{tags[0].removeprefix('Tag: ')}.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for file in distribution.files or ():
            if _belongs(file) and (source := Path(str(distribution.locate_file(file)))).is_file():
                wheel.write(source, str(file))
    return path


def make_index(folder: Path) -> Path:
    """`folder` with wheels of all that the runtime needs."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in RUNTIME:
        repack(folder, name)
    return folder


def _belongs(file: PurePosixPath) -> bool:
    """Whether the installer has not made it itself."""
    return file.parts[0] != ".." and "__pycache__" not in file.parts and file.name not in {"INSTALLER", "REQUESTED"}

"""The runtime's copy for other environments: `moorage.runtime` and `moorage.wire`, and nothing else of Moorage.

A copy is named by its contents, so an upgraded Moorage makes another one and rebuilds no environment, and processes
that are starting from the one before can go on.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import moorage
from moorage.system import entropy

REQUIREMENTS: Final = ("httptools>=0.6", "uvloop>=0.19", "msgspec>=0.18", "numpy")
"""What the runtime itself imports. Floors, not pins: it runs on Python 3.10 to 3.14 and on NumPy 1 and 2."""
RUNTIME_PREFIX: Final = "runtime-"
_PACKAGES: Final = ("runtime", "wire")


def copy_runtime(root: Path) -> Path:
    """The folder below `root` that holds a copy of this Moorage's runtime; made if it is not there. Raises OSError."""
    source = Path(moorage.__file__).parent
    files = {path.relative_to(source): path.read_bytes() for path in _sources(source)}
    digest = hashlib.sha256()
    for name, data in files.items():
        digest.update(f"{name}\0{len(data)}\0".encode() + data)
    target = root / f"{RUNTIME_PREFIX}{digest.hexdigest()[:16]}"
    if target.is_dir():
        os.utime(target)  # when it was last wanted
        return target
    fresh = root / f".new-runtime-{entropy.new_uid()}"
    try:
        for name, data in files.items():
            path = fresh / "moorage" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        _open_to_all(fresh)
        fresh.rename(target)
    except OSError:
        if not target.is_dir():  # another was faster: one is as good as the other
            raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return target


def _open_to_all(folder: Path) -> None:
    """Instances may run as other users than we do."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _sources(package: Path) -> Iterator[Path]:
    yield package / "__init__.py"
    for name in _PACKAGES:
        yield from sorted((package / name).rglob("*.py"))

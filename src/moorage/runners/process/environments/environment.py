"""What an environment is to those that start processes in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

_BOOT: Final = "import sys; sys.path.insert(0, sys.argv.pop(1)); from moorage.runtime.nursery import main; main()"
_SYSTEM: Final = Path("/usr")


@dataclass(frozen=True, slots=True)
class Environment:
    """A Python with a framework's packages. Equal ones can share a nursery."""

    title: str
    """`scikit-learn 1.2.1 on Python 3.11.2`, for people."""
    python: Path
    runtime: Path
    """The folder from which it imports `moorage.runtime`."""
    base: Path
    """Where the interpreter's own library is: its prefix."""
    folder: Path | None = None
    """Where it is, if it is one that was built; None for Moorage's own."""

    @property
    def places(self) -> tuple[Path, ...]:
        """What its processes read, apart from the system's own folders."""
        home = self.folder or self.python.parents[1]
        return tuple(place for place in (home, self.runtime, self.base) if not place.is_relative_to(_SYSTEM))

    def nursery_command(self, *arguments: str) -> tuple[str, ...]:
        """A nursery's command line. Isolated: no variable, user's folder or current directory adds modules to it."""
        return (str(self.python), "-I", "-c", _BOOT, str(self.runtime), *arguments)

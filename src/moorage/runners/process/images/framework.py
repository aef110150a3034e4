"""What an image comes to: a framework, and the versions that its tag asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Framework:
    """A framework, whatever its version."""

    name: str
    """Its module in `runtime/frameworks`."""
    title: str
    """What to call it in messages."""
    package: str | None
    """The distribution whose version the tags state. None for plain Python."""
    modules: tuple[str, ...]
    """What its nursery imports: most of what a model needs. Without one of them there is no serving."""
    optional_modules: tuple[str, ...] = ()
    """What its nursery imports as well if it is there."""
    requirements: tuple[str, ...] = ()
    """What an environment of its own contains beside the package, and beside what our runtime requires."""
    twins: tuple[str, ...] = ()
    """Other distributions that are the same software as the package."""


@dataclass(frozen=True, slots=True)
class FrameworkImage:
    """A framework and what the tag asks of it."""

    framework: Framework
    version: str | None = None
    """A release (`1.2.1`), a minor one (`1.2`), or None for any."""
    python: str | None = None
    """`3.10` for a tag with `py310`. A preference, since models seldom depend on it, but for plain Python."""
    companions: tuple[tuple[str, str], ...] = ()
    """Other packages whose version the tag states: PyTorch below transformers."""
    is_gpu: bool = False

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be said about it in the log of an instance."""
        return ("the image is made for GPUs: the model runs on the CPU here",) if self.is_gpu else ()

    @property
    def python_needed(self) -> str | None:
        """The only Python that will do: what the tag of plain Python states."""
        return self.python if self.framework.package is None else None

    def fits(self, installed: Mapping[str, str], *, python: str) -> bool:
        """Whether an environment with these distributions may serve the image: each in the minor release asked for.

        A minor release, because scikit-learn keeps pickles working within one at best (its guide, "Model persistence").
        """
        framework = self.framework
        if self.python_needed not in (None, python):
            return False
        names = (framework.package, *framework.twins) if framework.package else ()
        found = next((installed[name] for name in names if name in installed), None)
        if names and (found is None or not is_same_minor(self.version, found)):
            return False
        return all(
            package in installed and is_same_minor(version, installed[package]) for package, version in self.companions
        )


def release(version: str) -> tuple[int, ...]:
    """`1.4.1.post1` → (1, 4, 1): enough to compare releases of frameworks."""
    numbers: list[int] = []
    for part in version.partition("+")[0].split("."):
        if not part.isdigit():
            break
        numbers.append(int(part))
    return tuple(numbers)


def is_same_minor(wanted: str | None, installed: str) -> bool:
    """Whether `installed` is of the minor release that is asked for, if any is."""
    return wanted is None or release(wanted)[:2] == release(installed)[:2]

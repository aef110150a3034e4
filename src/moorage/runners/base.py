"""What every runner can do. The conformance suite in `testing` says it in tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from moorage.core.model import DataForm, EndpointKey, InstanceId, InstanceSpec, ModelData, Observation


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A file on this machine, and where in its folder a container finds it."""

    name: str
    """Parts with `/` between them, none of them empty, `.` or `..`."""
    path: Path


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """Model data on this machine, and the digest that names its contents."""

    form: DataForm
    digest: str
    """SHA-256 in hexadecimal: two with the same digest become one folder."""
    files: tuple[ModelFile, ...]
    """Of an ARCHIVE the one gzip-compressed tar file."""


@dataclass(frozen=True, slots=True)
class ContainerFiles:
    """What one container of an instance finds beside its image."""

    model: ModelFiles | None = None
    """None for a container without model data, and for a multi-model one, which asks for models as they are wanted."""
    channels: tuple[tuple[str, ModelFiles], ...] = ()
    """By the names of the container's `DataChannel`s."""
    code: ModelFiles | None = None
    """What SAGEMAKER_SUBMIT_DIRECTORY names, if that lies in S3."""

    @property
    def all(self) -> tuple[ModelFiles, ...]:
        """Each of them."""
        own = (files for files in (self.model, self.code) if files is not None)
        return (*own, *(files for _, files in self.channels))


class RunnerError(Exception):
    """The runner could not be asked, or could not do it now; asking again later may help."""


class Runner(Protocol):
    """Starts, observes and stops instances on behalf of control, and keeps them while control is away."""

    async def prepare(self, image: str) -> None:
        """Warm up whatever instances of `image` will be started from. A hint: returns at once, never fails."""
        ...

    async def stand_by(self, spec: InstanceSpec) -> None:
        """Keep for some minutes what `spec` is started from, also while it does not run. A hint: never fails."""
        ...

    async def note(self, spec: InstanceSpec, text: str) -> None:
        """Write a line into the log of an instance, launched or about to be. A courtesy: never fails."""
        ...

    async def launch(self, spec: InstanceSpec, files: tuple[ContainerFiles, ...]) -> None:
        """Begin to start an instance and return once that is recorded. Repeating it for a known id does nothing.

        `files` has one entry a container, in their order. All of it is linked or copied before this returns: the
        caller may then delete its files. Everything that goes wrong later is said by `observe`. Raises RunnerError.
        """
        ...

    async def stop(self, instance: InstanceId) -> None:
        """End an instance (SIGTERM, after a grace period SIGKILL), remove its files and forget it.

        Returns when it is gone. An unknown id is done already. Raises RunnerError.
        """
        ...

    async def observe(self) -> Sequence[Observation]:
        """Every instance launched and not stopped, also from before control's restart. Raises RunnerError."""
        ...

    def changes(self) -> AsyncIterator[EndpointKey]:
        """The endpoint of an instance whose observation changed, as it happens. Ends never; reconnects by itself.

        After a reconnection every known endpoint is reported once, since changes may have been missed.
        """
        ...


class Demands(Protocol):
    """Model data that running instances ask for: the models of multi-model containers, as they are wanted."""

    def demanded(self) -> AsyncIterator[ModelData]:
        """Each demand as it comes. Ends never; reconnects by itself, and then says again what has not been answered."""
        ...

    async def supply(self, data: ModelData, files: ModelFiles) -> None:
        """It is on this machine, and stays for some minutes. Raises RunnerError."""
        ...

    async def refuse(self, data: ModelData, reason: str, *, is_gone: bool) -> None:
        """It cannot be had, for a reason that is a sentence: there is none (`is_gone`), or not just now.

        Raises RunnerError.
        """
        ...

"""What every runner can do. The conformance suite in `testing` says it in tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from moorage.core.model import EndpointKey, InstanceId, InstanceSpec, Observation


@dataclass(frozen=True, slots=True)
class ModelArchive:
    """Model data on this machine: a gzip-compressed tar file, and the digest that names its contents."""

    path: Path
    digest: str
    """SHA-256 of the file in hexadecimal: two instances with the same digest share one unpacked copy."""


class RunnerError(Exception):
    """The runner could not be asked, or could not do it now; asking again later may help."""


class Runner(Protocol):
    """Starts, observes and stops instances on behalf of control, and keeps them while control is away."""

    async def prepare(self, image: str) -> None:
        """Warm up whatever instances of `image` will be started from. A hint: returns at once, never fails."""
        ...

    async def launch(self, spec: InstanceSpec, archive: ModelArchive | None) -> None:
        """Begin to start an instance and return once that is recorded. Repeating it for a known id does nothing.

        The archive is linked or copied before this returns: the caller may then delete its file. Everything
        that goes wrong later is said by `observe`. Raises RunnerError.
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

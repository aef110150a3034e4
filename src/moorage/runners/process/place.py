"""Where the processes of an instance live: folders, sockets and log files by name."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from moorage.core.model import InstanceSpec
from moorage.runners.process.folder import InstanceFolder
from moorage.runners.process.instance_log import log_path
from moorage.runners.process.process_folder import ProcessFolder
from moorage.runners.process.settings import AgentSettings


@dataclass(frozen=True, slots=True)
class Place:
    """Where one process lives."""

    folder: ProcessFolder
    socket: Path
    log: Path
    container: str | None = None
    """Which of several containers it is; None of the only one, and of the front."""

    def named(self, text: str) -> str:
        """What there is to say of the process, with the container's name where there are several."""
        return text if self.container is None else f"{self.container}: {text}"


@dataclass(frozen=True, slots=True)
class Places:
    """Where all processes of an instance live."""

    main: Place
    """Of the process that answers for the instance: the only container's, or the front's."""
    containers: tuple[Place, ...]

    @property
    def has_front(self) -> bool:
        """Whether there are several containers, and a front before them."""
        return len(self.containers) > 1


def places_of(spec: InstanceSpec, folder: InstanceFolder, settings: AgentSettings) -> Places:
    """The places of an instance's processes.

    Each of several containers has a log stream `<variant>/<instance>/<container>`, as SageMaker's guide has it for
    inference pipelines ("Inference Pipeline Logs and Metrics").
    """
    log = log_path(settings.logs_dir, spec)
    main = Place(folder, _socket(folder, settings), log)
    containers = spec.variant.containers
    if len(containers) == 1:
        return Places(main, (main,))
    behind = _behind_front(folder, settings, count=len(containers))
    return Places(
        main,
        tuple(
            Place(process_folder, socket, log.with_suffix("") / f"{container.name}.log", container.name)
            for (process_folder, socket), container in zip(behind, containers, strict=True)
        ),
    )


def nameless_places(folder: InstanceFolder, settings: AgentSettings) -> Iterator[Place]:
    """The places of an instance of which only the folder is known, to end what is there. They have no logs."""
    nowhere = Path(os.devnull)
    yield Place(folder, _socket(folder, settings), nowhere)
    count = folder.count_containers()
    if count > 1:
        for process_folder, socket in _behind_front(folder, settings, count=count):
            yield Place(process_folder, socket, nowhere)


def _behind_front(
    folder: InstanceFolder, settings: AgentSettings, *, count: int
) -> Iterator[tuple[ProcessFolder, Path]]:
    for number, process_folder in enumerate(folder.containers(count), 1):
        yield process_folder, _socket(folder, settings, f"-{number}")


def _socket(folder: InstanceFolder, settings: AgentSettings, suffix: str = "") -> Path:
    return settings.instance_sockets_dir / f"{folder.path.name.removeprefix('i-')}{suffix}.sock"

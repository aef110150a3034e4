"""Where the processes of an instance live: folders, sockets and log files by name. Pure."""

from __future__ import annotations

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
    name, log = spec.id.removeprefix("i-"), log_path(settings.logs_dir, spec)
    main = Place(folder, settings.instance_sockets_dir / f"{name}.sock", log)
    containers = spec.variant.containers
    if len(containers) == 1:
        return Places(main, (main,))
    folders = folder.containers(len(containers))
    return Places(
        main,
        tuple(
            Place(
                folders[index],
                settings.instance_sockets_dir / f"{name}-{index + 1}.sock",
                log.with_suffix("") / f"{container.name}.log",
                container.name,
            )
            for index, container in enumerate(containers)
        ),
    )

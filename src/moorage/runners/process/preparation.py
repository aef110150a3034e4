"""What a container's process needs before it can be forked: its model data, a nursery, and what it is told."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any, NamedTuple

from moorage.core.instance_types import vcpus
from moorage.core.model import Container, InstanceSpec
from moorage.runners.process import images
from moorage.runners.process.container_folders import ContainerFolders, folders_of, unpack
from moorage.runners.process.environment import instance_environment
from moorage.runners.process.environments.environment import Environment
from moorage.runners.process.environments.environments import EnvironmentImpossible, Environments, Equipped
from moorage.runners.process.environments.uv import Say
from moorage.runners.process.images import FrameworkImage
from moorage.runners.process.isolation.isolation import Isolation, NotConfined
from moorage.runners.process.models import ArchiveRefused, ModelFolders
from moorage.runners.process.multi_model import containers as multi_model
from moorage.runners.process.nursery import FrameworkAbsent, Nurseries, Nursery
from moorage.runners.process.place import Place
from moorage.runners.process.staging import ContainerData
from moorage.runners.process.verdicts import Verdicts, key_of


class Unlaunchable(Exception):
    """Starting this again would end the same way; the message is the reason."""


class Prepared(NamedTuple):
    """A container that is ready to be forked."""

    nursery: Nursery
    launch: dict[str, Any]
    """The contents of its `launch.json`."""
    notes: tuple[str, ...]
    """Platform lines, for its log and for whoever asks about the instance."""
    equipment: tuple[Path, ...]
    """What its process runs from."""
    key: str
    """Of what its process is made of, see `verdicts`."""


class Preparer:
    """Prepares the containers of this machine's instances."""

    def __init__(
        self, models: ModelFolders, environments: Environments, nurseries: Nurseries, isolation: Isolation
    ) -> None:
        self._models = models
        self._environments = environments
        self._nurseries = nurseries
        self._isolation = isolation
        self.verdicts = Verdicts()

    async def prepare(
        self, spec: InstanceSpec, container: Container, place: Place, *, data: ContainerData, staged: Path, say: Say
    ) -> Prepared:
        """Everything for the process of `container` at `place`; its model data lies in `staged`, or is unpacked.

        `say` writes a line to its log. Raises Unlaunchable, UnpackFailed, EnvironmentUnavailable, NurseryLost.
        """
        try:
            image = images.resolve(container.image)
            unpacked, environment = await asyncio.gather(
                unpack(data, staged, self._models), self._environments.ensure(image, say)
            )
            folders = folders_of(data, self._models, empty=place.folder.work / "model")
            equipped = await self._equip(environment, image, folders, say)
            nursery = await self._nurseries.get(equipped.environment, image.framework)
            many = multi_model.prepare(spec, container, place) if container.is_multi_model else None
            own = [multi_model.models_folder(place)] if many is not None else []
            seen = {folder: folder for folder in (*equipped.folders, *own)}
            confinement = await self._isolation.confine(spec, place.folder, folders, seen=seen)
        except (images.UnknownImage, ArchiveRefused, EnvironmentImpossible, FrameworkAbsent, NotConfined) as error:
            raise Unlaunchable(str(error)) from error
        notes = (*unpacked, equipped.environment.title, *image.notes, *confinement.sentences)
        launch = _launch(spec, container, place, confinement.folders, equipped)
        launch |= {"framework": image.framework.name, "notes": notes, "sandbox": confinement.sandbox}
        launch["multi_model"] = many
        python = [str(path) for path in (equipped.environment.python, *equipped.overlays)]
        key = key_of(
            data=data.digests, framework=image.framework.name, python=python, environment=container.environment
        )
        launch["verdict"] = self.verdicts.find(key)
        return Prepared(nursery, launch, notes, equipped.folders, key)

    async def _equip(
        self, environment: Environment, image: FrameworkImage, folders: ContainerFolders, say: Say
    ) -> Equipped:
        """What the model's code asks for by a requirements.txt, if it does."""
        code = folders.code or folders.model / "code"
        requirements = code / "requirements.txt"
        if not await asyncio.to_thread(requirements.is_file):
            return Equipped(environment)
        return await self._environments.equip(environment, image, requirements, say)


def _launch(
    spec: InstanceSpec, container: Container, place: Place, folders: ContainerFolders, equipped: Equipped
) -> dict[str, Any]:
    work, python = place.folder.work, equipped.environment.python
    return {
        "socket": str(place.socket),
        "log": str(place.log),
        "model_folder": str(folders.model),
        "work_folder": str(work),
        "environment": instance_environment(spec, container, folders=folders, work_folder=work, python=python),
        "python_path": [str(folder) for folder in equipped.overlays],
        "workers": min(vcpus(spec.variant.instance_type), len(os.sched_getaffinity(0))),
    }

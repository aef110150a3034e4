"""Confines the processes of instances: examines the machine once, gives each process its user and folders."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from moorage.core.model import InstanceSpec
from moorage.runners.process.container_folders import ContainerFolders
from moorage.runners.process.isolation.control_groups import MOUNTS, OWN_GROUPS, find_control_groups
from moorage.runners.process.isolation.decide import NO_USERS, Confinement, Groups, NotIsolated, Wanted, decide, typical
from moorage.runners.process.isolation.machine import Machine, examine
from moorage.runners.process.isolation.users import NoUserLeft, UserRange, Users
from moorage.runners.process.isolation.ways import is_reachable, open_ways
from moorage.runners.process.process_folder import ProcessFolder
from moorage.runners.process.settings import AgentSettings, RequireIsolation

_RESOLVER: Final = Path("/etc/resolv.conf")
_RUN: Final = Path("/run")


log = logging.getLogger(__name__)


class NotConfined(Exception):
    """The instance is not to be started with less than was asked for; the message says what is lacking."""


class Isolation:
    """Confines what an agent starts."""

    def __init__(self, settings: AgentSettings) -> None:
        self._settings = settings
        self._users = Users(UserRange(settings.instance_users_first, settings.instance_users))
        self._groups = find_control_groups(OWN_GROUPS.read_text(), MOUNTS.read_text())
        self._examination: asyncio.Task[Machine] | None = None

    async def machine(self) -> Machine:
        """What this machine can do. Examined when first asked."""
        if self._examination is None:
            self._examination = asyncio.create_task(examine(self._users.range.first))
        return await asyncio.shield(self._examination)

    async def confine(
        self,
        spec: InstanceSpec,
        folder: ProcessFolder,
        folders: ContainerFolders,
        *,
        seen: Mapping[Path, Path] | None = None,
    ) -> Confinement:
        """Decide for a process about to be forked, and give its folders to the user it will be.

        `seen` is what it shall see besides `folders`, read-only, by where. Raises NotConfined, OSError.
        """
        machine = await self.machine()
        seen = {**_resolver(), **(seen or {})}
        needed = (folder.work, folders.model, *folders.channels.values(), *seen.values())
        try:
            why_no_user = self._why_no_user(machine, folder, needed)
            user = None if why_no_user else self._users.take(self._owners())
            groups = self._make_groups(folder, is_user_shared=user is None)
            wanted = Wanted(
                folders=folders,
                work=folder.work,
                temporary=folder.temporary,
                is_without_network=spec.variant.network_isolation,
                hidden=(*self._settings.folders, *self._settings.hidden),
                seen=seen,
                user=user,
                why_no_user=why_no_user,
                groups=(self._users.range.group,),
                processes_max=self._settings.instance_processes_max,
                memory_bytes_max=self._settings.instance_memory_bytes_max,
                control_groups=groups,
            )
            confinement = decide(machine, wanted)
        except (NotIsolated, NoUserLeft) as error:
            raise NotConfined(str(error)) from error
        if confinement.lacks and self._settings.require_isolation is RequireIsolation.STRICT:
            raise NotConfined(
                f"require_isolation is strict, and this machine does not give instances {'; '.join(confinement.lacks)}"
            )
        folder.give_to(confinement.sandbox["user"])
        return confinement

    async def announce(self) -> None:
        """Say in the log what instances get, and what this machine does not give them."""
        machine = await self.machine()
        user = self._users.range.first if self._users.range.size and machine.has_users else None
        confinement = typical(machine, user=user)
        log.info("instances get: %s", "; ".join(confinement.gives))
        if confinement.lacks:
            log.warning("this machine does not give instances: %s", "; ".join(confinement.lacks))

    def _why_no_user(self, machine: Machine, folder: ProcessFolder, needed: Iterable[Path]) -> str | None:
        """Why a process cannot be a user of its own. It can with a view of its own, or if it reaches what it needs."""
        if not self._users.range.size:
            return NO_USERS
        if machine.why_no_users or machine.has_view:
            return machine.why_no_users
        settings, group = self._settings, self._users.range.group
        between = [path for path in folder.path.parents if path.is_relative_to(settings.instances_dir)]
        ours = (settings.instances_dir.parent, settings.models_dir, settings.environments_dir)
        open_ways((*ours, *between, folder.path), group)
        closed = next((path for path in needed if not is_reachable(path, group)), None)
        return f"only the agent's user can get to {closed}" if closed else None

    def _make_groups(self, folder: ProcessFolder, *, is_user_shared: bool) -> Groups:
        """Those that are needed: a user of its own is all it takes to end everything of an instance."""
        name = "-".join(folder.path.relative_to(self._settings.instances_dir).parts)
        limit = self._settings.instance_memory_bytes_max
        made: dict[Path, None] = {}
        no_end = no_limit = None
        if is_user_shared:
            try:
                made[self._groups.make(name)] = None
            except OSError as error:
                no_end = error.strerror
        if limit:
            try:
                made[self._groups.make_limited(name, limit)] = None
            except OSError as error:
                no_limit = error.strerror
        return Groups(tuple(made), no_end, no_limit)

    def _owners(self) -> Iterator[int]:
        """Of the folders of every process of every instance, also of those that are being removed."""
        for pattern in ("*/work", "*/containers/*/work"):
            for work in self._settings.instances_dir.glob(pattern):
                with contextlib.suppress(FileNotFoundError):
                    yield work.stat().st_uid


def _resolver() -> dict[Path, Path]:
    """The file that says where names are looked up, where it lies below the folder that is hidden."""
    real = _RESOLVER.resolve()
    return {real: real} if real.is_relative_to(_RUN) and real.exists() else {}

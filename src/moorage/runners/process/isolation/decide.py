"""What one process of an instance is confined to: decided by what the machine can do, with what is lacking. Pure.

The answer is in the words of `moorage.runtime.sandbox.plan`, which runners do not import: the runtime travels alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from moorage.runners.process.container_folders import ContainerFolders
from moorage.runners.process.isolation.machine import Machine

MODEL: Final = Path("/opt/ml/model")
CODE: Final = Path("/opt/ml/code")
CHANNELS: Final = Path("/opt/ml/additional-model-data-sources")
"""Where SageMaker's containers find their files (the guides on hosting and on AdditionalModelDataSources)."""

NO_USERS: Final = "instance_users is 0"

_SCRATCH: Final = ("/opt/ml", "/dev/shm")
_TEMPORARY: Final = ("/tmp", "/var/tmp")
_HIDDEN: Final = ("/run",)
_WRITABLE: Final = ("/dev", "/proc")
"""By Landlock, which adds to what the file system itself refuses."""
_SYSTEM: Final = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc", "/opt", "/sys", "/proc", "/dev", "/nix")
_SINCE_SIGNALS: Final = 6
"""The version of Landlock that keeps signals and abstract Unix sockets inside."""


@dataclass(frozen=True, slots=True)
class Groups:
    """The control groups that were made for it, as far as they were wanted, and why the others could not be."""

    folders: tuple[Path, ...] = ()
    no_end: str | None = None
    """Why there is none to end all of it by."""
    no_limit: str | None = None
    """Why there is none to limit its memory by."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be confined."""

    folders: ContainerFolders
    """Where its files are on the host."""
    work: Path
    temporary: Path
    """Becomes its /tmp."""
    is_without_network: bool = False
    hidden: tuple[Path, ...] = ()
    """Folders of the host that it has no business in."""
    seen: Mapping[Path, Path] = field(default_factory=dict)
    """What else it shall see, read-only, by where it sees it."""
    user: int | None = None
    """A user for it alone; None if it has to be the agent's."""
    why_no_user: str | None = None
    """Why it has to be the agent's, where the machine would give users."""
    groups: tuple[int, ...] = ()
    """Of that user, by which it reaches its files where it has no view of its own."""
    processes_max: int = 4096
    memory_bytes_max: int = 0
    """0 is no limit."""
    control_groups: Groups = Groups()


@dataclass(frozen=True, slots=True)
class Confinement:
    """What was decided."""

    sandbox: Mapping[str, Any]
    folders: ContainerFolders
    """Where its files are for the process itself."""
    gives: tuple[str, ...]
    lacks: tuple[str, ...]
    """What this machine does not give, each with the reason."""

    @property
    def sentences(self) -> tuple[str, ...]:
        """For the log, and for whoever asks about the instance."""
        given = f"isolation: {'; '.join(self.gives)}"
        return (given, f"isolation lacks {'; '.join(self.lacks)}") if self.lacks else (given,)


class NotIsolated(Exception):
    """The network cannot be kept away on this machine; the message is the sentence that says so."""


def decide(machine: Machine, wanted: Wanted) -> Confinement:
    """The best this machine gives. Raises NotIsolated if the network is to be kept away and cannot be."""
    has_view = machine.has_view
    in_namespace = has_view and not machine.can("view")
    user = wanted.user if machine.has_users else None
    network = _network(machine, wanted, in_namespace=in_namespace)
    sandbox: dict[str, Any] = {
        "user": user,
        "groups": list(wanted.groups) if user is not None and not has_view else [],
        "user_namespace": in_namespace,
        "network": network,
        "landlock": machine.landlock,
        "seccomp": machine.can("seccomp"),
        "processes_max": wanted.processes_max if user is not None else None,
        "memory_bytes": wanted.memory_bytes_max if wanted.control_groups.no_limit else None,
        "control_groups": [str(folder) for folder in wanted.control_groups.folders],
        "writable": [*_WRITABLE, str(wanted.work), str(wanted.temporary)],
    }
    folders = wanted.folders
    if has_view:
        folders = _inside(wanted.folders)
        sandbox["view"] = _view(wanted, folders)
        sandbox["writable"] += [*_SCRATCH, *_TEMPORARY]
    else:
        sandbox["readable"] = [*_SYSTEM, *map(str, _sources(wanted))]
    return Confinement(sandbox, folders, tuple(_gives(sandbox)), tuple(_lacks(machine, sandbox, wanted)))


def typical(machine: Machine, *, user: int | None) -> Confinement:
    """What an instance gets here, for whoever asks before there is one."""
    nowhere = Path("/nonexistent")
    wanted = Wanted(ContainerFolders(nowhere), nowhere, nowhere, user=user, why_no_user=NO_USERS)
    return decide(machine, wanted)


def _network(machine: Machine, wanted: Wanted, *, in_namespace: bool) -> str:
    if not wanted.is_without_network:
        return "shared"
    if machine.can("network in a user namespace" if in_namespace else "network"):
        return "namespace"
    if machine.can("seccomp"):
        return "unix sockets"
    raise NotIsolated(
        "EnableNetworkIsolation cannot be had on this machine: it gives neither network namespaces"
        f" ({machine.failures['network']}) nor filters of system calls ({machine.failures['seccomp']})"
    )


def _inside(folders: ContainerFolders) -> ContainerFolders:
    return ContainerFolders(
        model=MODEL,
        channels={name: CHANNELS / name for name in folders.channels},
        code=CODE if folders.code else None,
    )


def _view(wanted: Wanted, inside: ContainerFolders) -> dict[str, Any]:
    outside = wanted.folders
    read_only = {MODEL: outside.model, **{inside.channels[name]: path for name, path in outside.channels.items()}}
    if outside.code:
        read_only[CODE] = outside.code
    read_only |= wanted.seen
    writable = {wanted.work: wanted.work, **{Path(path): wanted.temporary for path in _TEMPORARY}}
    return {
        "hidden": [*_HIDDEN, *map(str, wanted.hidden)],
        "scratch": list(_SCRATCH),
        "places": [_place(source, target, writable=False) for target, source in read_only.items()]
        + [_place(source, target, writable=True) for target, source in writable.items()],
    }


def _place(source: Path, target: Path, *, writable: bool) -> dict[str, Any]:
    return {"source": str(source), "target": str(target), "writable": writable}


def _sources(wanted: Wanted) -> Iterator[Path]:
    """What has to be readable where it lies on the host."""
    yield wanted.folders.model
    yield from wanted.folders.channels.values()
    if wanted.folders.code:
        yield wanted.folders.code
    yield from wanted.seen.values()


def _gives(sandbox: Mapping[str, Any]) -> Iterator[str]:
    yield f"user {sandbox['user']}, nobody else's" if sandbox["user"] is not None else "the agent's user"
    if "view" in sandbox:
        yield "a view of files of its own, /opt/ml/model read-only"
    if sandbox["landlock"]:
        yield f"Landlock {sandbox['landlock']}"
    if sandbox["seccomp"]:
        yield "system calls filtered"
    yield {
        "shared": "the host's network",
        "namespace": "no network",
        "unix sockets": "no network, by refusing its sockets",
    }[sandbox["network"]]


def _lacks(machine: Machine, sandbox: Mapping[str, Any], wanted: Wanted) -> Iterator[str]:
    keeps_apart = "view" in sandbox and machine.landlock >= _SINCE_SIGNALS
    if sandbox["user"] is None and not keeps_apart:
        yield f"a user of its own ({machine.why_no_users or wanted.why_no_user})"
    if wanted.control_groups.no_end:
        yield f"an end of processes that leave its session ({wanted.control_groups.no_end})"
    if wanted.control_groups.no_limit:
        yield f"a limit of memory but for each process alone ({wanted.control_groups.no_limit})"
    if "view" not in sandbox:
        why = machine.failures["view in a user namespace"] or machine.failures["view"]
        yield f"a view of files of its own, and /opt/ml/model ({why})"
    if not machine.landlock:
        yield "Landlock (the kernel does not offer it)"
    if not sandbox["seccomp"]:
        yield f"a filter of system calls ({machine.failures['seccomp']})"
    if sandbox["network"] == "unix sockets" and machine.landlock < _SINCE_SIGNALS:
        yield "separation from abstract Unix sockets of the host (no network namespaces, and no Landlock 6)"

"""What a child is told to confine itself to: `sandbox` in `launch.json`, decided by `runners/process/isolation`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

SHARED: Final = "shared"
NAMESPACE: Final = "namespace"
UNIX_SOCKETS: Final = "unix sockets"


@dataclass(frozen=True, slots=True)
class Place:
    """A folder or file of the host's that is seen at `target`."""

    source: str
    target: str
    writable: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """How the file system looks from inside: as the host's, but for these paths."""

    hidden: tuple[str, ...] = ()
    """Folders that look empty."""
    scratch: tuple[str, ...] = ()
    """Folders that are empty, writable, and memory. They need not exist on the host."""
    places: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True)
class Sandbox:
    """Every means is off unless it is told."""

    user: int | None = None
    """The uid and gid to become, for this instance alone."""
    groups: tuple[int, ...] = ()
    """Further groups of that user."""
    user_namespace: bool = False
    """Make namespaces as the first process of a new user namespace, which needs no rights."""
    view: View | None = None
    network: str = SHARED
    """`shared` with the host; `namespace`: one of its own with nothing but a loopback; or `unix sockets` only."""
    landlock: int = 0
    """The version to speak; 0 is none."""
    readable: tuple[str, ...] = ("/",)
    """What Landlock lets the instance read and execute."""
    writable: tuple[str, ...] = ()
    """What Landlock lets it change as well."""
    seccomp: bool = False
    processes_max: int | None = None
    """Processes and threads of the user's together."""
    memory_bytes: int | None = None
    """Of data that is each process's own: a control group counts better, over all of them."""
    control_groups: tuple[str, ...] = ()
    """Folders of control groups to join."""

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Sandbox:
        """From JSON. Raises TypeError for a field there is not."""
        fields: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in told.items()
        }
        return cls(**{**fields, "view": _view(told["view"]) if told.get("view") else None})


def _view(told: Mapping[str, Any]) -> View:
    return View(tuple(told["hidden"]), tuple(told["scratch"]), tuple(Place(**place) for place in told["places"]))

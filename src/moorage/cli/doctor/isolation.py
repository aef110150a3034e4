"""Checks of what instances can be confined to, by the trials that the agent relies on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Final

from moorage.app.settings import Settings
from moorage.cli.doctor.finding import Finding, bad, good, note
from moorage.runners.process.isolation.decide import typical
from moorage.runners.process.isolation.machine import Machine, examine
from moorage.runners.process.settings import RequireIsolation

_HOW: Final = (
    "Run Moorage as root, or allow user namespaces to its user; in a container, add CAP_SYS_ADMIN and a seccomp profile"
    " that permits mount and unshare"
)


def check_isolation(settings: Settings) -> Iterator[Finding]:
    """What keeps the code of a model from the machine, from Moorage and from other models."""
    machine = asyncio.run(examine(settings.instance_users_first))
    user = settings.instance_users_first if settings.instance_users and machine.has_users else None
    confinement = typical(machine, user=user)
    yield good("Isolation", "; ".join(confinement.gives))
    if confinement.lacks:
        lacking = f"lacking: {'; '.join(confinement.lacks)}"
        if settings.require_isolation is RequireIsolation.STRICT:
            yield bad("Isolation", f"{lacking}, and require_isolation is strict", advice=_HOW)
        else:
            yield note("Isolation", lacking, advice=_HOW)
    yield _network(machine)


def _network(machine: Machine) -> Finding:
    if machine.can("network") or machine.can("network in a user namespace"):
        return good("Network isolation", "by network namespaces")
    if machine.can("seccomp"):
        return good("Network isolation", "by refusing every socket but Unix ones")
    return note("Network isolation", "models with EnableNetworkIsolation cannot be started on this machine")

"""Which versions of a package can be had for the Pythons of this machine."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from moorage.runners.process.environments.interpreters import Interpreter
from moorage.runners.process.environments.uv import PackagesRefused, Uv
from moorage.system.tasks import all_of

_VERSION: Final = re.compile(r"==([^\s;]+)")


class Offer(NamedTuple):
    """The oldest and the newest version with wheels. Not each between them needs to have some."""

    oldest: str
    newest: str

    def __str__(self) -> str:
        return self.newest if self.oldest == self.newest else f"{self.oldest} to {self.newest}"


async def find_offer(package: str, interpreters: Sequence[Interpreter], uv: Uv) -> Offer | None:
    """What indexes have of a package for these Pythons; None if nothing. Raises PackagesUnavailable."""
    by_age = sorted(interpreters, key=lambda one: one.version)
    oldest, newest = await all_of(
        [_resolve(package, "lowest-direct", by_age, uv), _resolve(package, "highest", by_age[::-1], uv)]
    )
    return Offer(oldest, newest) if oldest and newest else None


async def _resolve(package: str, resolution: str, interpreters: Sequence[Interpreter], uv: Uv) -> str | None:
    """The version on the first interpreter that there is one for."""
    plain = ("--no-deps", "--no-build", "--no-header", "--no-annotate")
    for interpreter in interpreters:
        try:
            resolved = await uv.run(
                *("pip", "compile", "-", *plain, "--resolution", resolution, "--python", interpreter.path),
                stdin=package,
            )
        except PackagesRefused:
            continue
        found = _VERSION.search(resolved)
        if found is not None:
            return found[1]
    return None

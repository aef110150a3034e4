"""Every environment of this machine, by what was asked for.

    environments/
      scikit-learn-1.2.1-cp311-0123456789ab/   one environment: a venv and its `environment.json`
      overlays/                                what models' requirements.txt add, see `overlays.py`
      runtime-0123456789abcdef/                the runtime's copy that environments import
      .cache/                                  uv's
      .new-…                                   being built

An environment belongs to its interpreter and the lines it was asked for by. It is resolved once: what was built stays
as it is, also when newer packages appear.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Coroutine, Sequence, Set
from pathlib import Path
from typing import Any, Final, NamedTuple

from moorage.runners.process.environments import travel
from moorage.runners.process.environments.blueprint import Blueprint, blueprint_of, blueprint_with
from moorage.runners.process.environments.build import build, read_record
from moorage.runners.process.environments.environment import Environment
from moorage.runners.process.environments.interpreters import Interpreter, find_interpreters
from moorage.runners.process.environments.offers import Offer, find_offer
from moorage.runners.process.environments.overlays import Overlays
from moorage.runners.process.environments.own import own_environment, own_packages
from moorage.runners.process.environments.patience import patiently
from moorage.runners.process.environments.requirements_file import (
    Requirements,
    RequirementsRefused,
    read_requirements,
)
from moorage.runners.process.environments.sharing import Sharing
from moorage.runners.process.environments.source import PackageSource
from moorage.runners.process.environments.upkeep import CACHE_NAME, OVERLAYS_NAME, prune, sweep
from moorage.runners.process.environments.uv import PackagesRefused, PackagesUnavailable, Say, Uv
from moorage.runners.process.images import FrameworkImage
from moorage.system.clock import Clock

_SPARED_S: Final = 3600.0
"""What was wanted within this time is not pruned: an instance may be about to start there."""

log = logging.getLogger(__name__)


class EnvironmentImpossible(Exception):
    """There can be no environment as asked; the message is the sentence that says why."""


class EnvironmentUnavailable(Exception):
    """The environment could not be built now; the message says why."""


class Equipped(NamedTuple):
    """What a model runs in."""

    environment: Environment
    overlays: tuple[Path, ...] = ()
    """Folders that belong in front of `sys.path`."""

    @property
    def folders(self) -> tuple[Path, ...]:
        """What its processes read."""
        return (*self.environment.places, *self.overlays)


class Environments:
    """Owns `root`. Environments and overlays are built when first asked for, once each, whoever waits.

    That takes from a second to minutes, of which `say` hears. The asynchronous methods raise EnvironmentImpossible and
    EnvironmentUnavailable.
    """

    def __init__(
        self, root: Path, source: PackageSource, clock: Clock, *, bytes_max: int, in_use: Callable[[], Set[Path]]
    ) -> None:
        self._root = root
        self._source = source
        self._clock = clock
        self._bytes_max = bytes_max
        self._in_use = in_use
        self._uv = Uv(source, root / CACHE_NAME)
        self._overlays = Overlays(root / OVERLAYS_NAME, self._uv)
        self._building: Sharing[None] = Sharing()
        self._interpreters: Sequence[Interpreter] = ()
        self._runtime: Path | None = None
        self._pruning: asyncio.Task[None] | None = None

    async def ensure(self, image: FrameworkImage, say: Say) -> Environment:
        """The environment that instances of `image` run in: Moorage's own if it fits, else one built for it."""
        return own_environment(image) or await self._ensure(blueprint_of(image), image, say)

    async def equip(self, environment: Environment, image: FrameworkImage, requirements: Path, say: Say) -> Equipped:
        """`environment` with what the model's requirements.txt adds; another one if they do not go together."""
        try:
            asked = await asyncio.to_thread(read_requirements, requirements)
        except RequirementsRefused as refusal:
            raise EnvironmentImpossible(str(refusal)) from refusal
        packages = await asyncio.to_thread(self._packages, environment, image)
        combined = blueprint_with(image, asked, packages)
        overlay = self._overlays.find(environment, packages, asked)
        if overlay is None:
            built = await self._find(combined, image)
            if built is not None:
                return Equipped(built)
            overlay = await self._lay_over(environment, packages, asked, say)
        if overlay is None:
            return Equipped(await self._ensure(combined, image, say))
        return Equipped(environment, (overlay,))

    def sweep(self) -> None:
        """Remove what a dead agent left half done. Before anything is built."""
        sweep(self._root, keep=self._in_use())

    async def close(self) -> None:
        """Give up what is being built."""
        await self._building.close()

    # -- environments -------------------------------------------------------------------------------------------------

    async def _ensure(self, blueprint: Blueprint, image: FrameworkImage, say: Say) -> Environment:
        found = await self._find(blueprint, image)
        if found is not None:
            return found
        interpreters = await self._candidates(image)
        await self._share(blueprint.folder_name(interpreters[0]), lambda say: self._build(blueprint, image, say), say)
        built = await self._find(blueprint, image)
        if built is None:
            raise EnvironmentUnavailable(f"The environment {blueprint.name} was removed as soon as it was built")
        return built

    async def _find(self, blueprint: Blueprint, image: FrameworkImage) -> Environment | None:
        return await asyncio.to_thread(self._look_for, blueprint, await self._candidates(image))

    def _look_for(self, blueprint: Blueprint, interpreters: Sequence[Interpreter]) -> Environment | None:
        for interpreter in interpreters:
            folder = self._root / blueprint.folder_name(interpreter)
            record = read_record(folder)
            if record is not None:
                os.utime(folder)  # when it was last wanted
                base = Path(interpreter.path).parents[1]
                return Environment(record.title, folder / "bin" / "python", self._copied_runtime(), base, folder)
        return None

    def _copied_runtime(self) -> Path:
        """Copied once: the agent stays what it was at its start, also when another Moorage is installed meanwhile."""
        if self._runtime is None or not self._runtime.is_dir():
            self._runtime = travel.copy_runtime(self._root)
        return self._runtime

    async def _candidates(self, image: FrameworkImage) -> list[Interpreter]:
        """The interpreters to try, the best first. Raises EnvironmentImpossible."""
        if not self._interpreters:
            self._interpreters = await asyncio.to_thread(find_interpreters, self._source.pythons)
        needed = image.python_needed
        candidates = [one for one in self._interpreters if needed in (None, one.minor)]
        if not candidates:
            here = ", ".join(one.minor for one in self._interpreters)
            raise EnvironmentImpossible(f"The image asks for Python {needed}, and here are {here}")
        return sorted(candidates, key=lambda one: one.minor != image.python)  # stable: else as they were found

    async def _build(self, blueprint: Blueprint, image: FrameworkImage, say: Say) -> None:
        if await self._find(blueprint, image) is not None:
            return  # whoever wants it had looked just before it was there
        began = self._clock.monotonic()
        say(f"building the environment {blueprint.name}")
        interpreters = await self._candidates(image)
        await patiently(lambda: self._build_on_any(interpreters, blueprint, say), self._clock, say)
        say(f"built the environment {blueprint.name} in {self._clock.monotonic() - began:.1f} s")
        self._pruning = asyncio.create_task(self._prune())  # nobody who waits for the environment waits for that

    async def _build_on_any(self, interpreters: Sequence[Interpreter], blueprint: Blueprint, say: Say) -> None:
        """Build on the first interpreter there are packages for. Raises EnvironmentImpossible, PackagesUnavailable."""
        refusals: dict[str, str] = {}
        runtime = await asyncio.to_thread(self._copied_runtime)
        for interpreter in interpreters:
            target = self._root / blueprint.folder_name(interpreter)
            try:
                return await build(blueprint, interpreter, target, runtime=runtime, uv=self._uv, say=say)
            except PackagesRefused as refusal:
                say(f"not on {interpreter}: {refusal}")
                refusals[f"Python {interpreter.minor}"] = str(refusal)
        offer = await find_offer(blueprint.package, interpreters, self._uv) if blueprint.package else None
        raise EnvironmentImpossible(_impossible(blueprint, refusals, offer))

    async def _prune(self) -> None:
        spared = self._clock.now().timestamp() - _SPARED_S
        keep = self._in_use()
        gone = await asyncio.to_thread(prune, self._root, keep=keep, bytes_max=self._bytes_max, wanted_before=spared)
        for stored in gone:
            log.info("removed %s: environments take more than %d bytes", stored.name, self._bytes_max)

    # -- overlays -----------------------------------------------------------------------------------------------------

    def _packages(self, environment: Environment, image: FrameworkImage) -> Sequence[str]:
        """What an overlay must leave as it is."""
        if environment.folder is None:
            return own_packages(image)
        record = read_record(environment.folder)
        return record.packages if record else ()

    async def _lay_over(
        self, environment: Environment, packages: Sequence[str], asked: Requirements, say: Say
    ) -> Path | None:
        """A new overlay; None if what is asked does not go with the environment."""

        async def attempt(say: Say) -> None:
            say("installing code/requirements.txt")
            await patiently(lambda: self._overlays.build(environment, packages, asked, say), self._clock, say)

        try:
            await self._share(f"{environment.python} {asked.digest}", attempt, say)
        except PackagesRefused as refusal:
            say(f"code/requirements.txt does not go with {environment.title}: {refusal}")
            return None
        return self._overlays.find(environment, packages, asked)

    async def _share(self, key: str, begin: Callable[[Say], Coroutine[Any, Any, None]], say: Say) -> None:
        try:
            await self._building.join(key, begin, say)
        except PackagesUnavailable as error:
            raise EnvironmentUnavailable(f"The packages of the model's environment cannot be had: {error}") from error


def _impossible(blueprint: Blueprint, refusals: dict[str, str], offer: Offer | None) -> str:
    """`… cannot be installed on this machine, on none of Python 3.11, Python 3.10: … Of scikit-learn, 1.0.2 to …`."""
    reason = next(iter(refusals.values()), "there is no Python that the runtime runs on")
    tried = f", on none of {', '.join(refusals)}" if len(refusals) > 1 else ""
    choice = f" Of {blueprint.package}, {offer} can be had here." if offer else ""
    return f"{blueprint.name} cannot be installed on this machine{tried}: {reason.rstrip('.')}.{choice}"

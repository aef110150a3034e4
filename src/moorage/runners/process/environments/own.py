"""Moorage's own environment, which serves the images that it fits: nothing has to be built for them."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Final

import moorage
from moorage.runners.process.environments import travel
from moorage.runners.process.environments.environment import Environment
from moorage.runners.process.images import FrameworkImage

_NAME: Final = re.compile(r"[A-Za-z0-9._-]+")
_OPTIONAL: Final = re.compile(r";.*\bextra\b")


def own_environment(image: FrameworkImage) -> Environment | None:
    """Moorage's own environment, if it fits the image as it is installed now."""
    installed = _installed(_framework_distributions(image))
    if not image.fits(installed, python=f"{sys.version_info.major}.{sys.version_info.minor}"):
        return None
    what = ", ".join(f"{name} {version}" for name, version in installed.items()) or image.framework.title
    python = ".".join(map(str, sys.version_info[:3]))
    return Environment(
        f"{what} of Moorage's own environment on Python {python}",
        python=Path(sys.executable),
        runtime=Path(moorage.__file__).parents[1],
        base=Path(sys.base_prefix),
    )


def own_packages(image: FrameworkImage) -> tuple[str, ...]:
    """What in Moorage's own environment the instances of `image` need, `name==version`."""
    roots = [*_framework_distributions(image), *image.framework.requirements, *travel.REQUIREMENTS]
    return tuple(f"{name}=={version}" for name, version in sorted(_installed(_closure(roots)).items()))


def _framework_distributions(image: FrameworkImage) -> list[str]:
    framework = image.framework
    names = (framework.package, *framework.twins, *(package for package, _ in image.companions))
    return [name for name in names if name]


def _installed(names: Iterable[str]) -> dict[str, str]:
    """The versions of those that are here."""
    found = {}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _closure(requirements: Iterable[str]) -> set[str]:
    """The named distributions and all that they require, extras aside."""
    found: set[str] = set()
    waiting = list(requirements)
    while waiting:
        match = _NAME.match(waiting.pop())
        if match is None or match[0] in found:
            continue
        found.add(match[0])
        try:
            waiting += [line for line in metadata.requires(match[0]) or () if not _OPTIONAL.search(line)]
        except metadata.PackageNotFoundError:
            continue
    return found

"""What to install for an image: its framework as the tag asks for it, and what must not be newer than it knows."""

from __future__ import annotations

from moorage.runners.process.images.catalogue import OLDER_RELEASES, OlderReleases
from moorage.runners.process.images.framework import FrameworkImage, release


def requirements(image: FrameworkImage) -> tuple[str, ...]:
    """The lines for an installer, each package once.

    scikit-learn 1.2.1 → `scikit-learn==1.2.1`, `joblib`, `numpy<2`, …; 1.2 → `scikit-learn==1.2.*`, …
    """
    lines: dict[str, str] = {name: name for name in image.framework.requirements}
    for package, version in _asked(image):
        older = _older(package, version)
        lines[package] = _line(older.package if older and older.package else package, version)
        lines.update(older.requirements if older else ())
    return tuple(lines.values())


def _asked(image: FrameworkImage) -> tuple[tuple[str, str | None], ...]:
    package = image.framework.package
    return (*(((package, image.version),) if package else ()), *image.companions)


def _older(package: str, version: str | None) -> OlderReleases | None:
    """The oldest of the rules that the version falls under: each says all that holds for its releases."""
    if version is None:
        return None
    found = [older for older in OLDER_RELEASES.get(package, ()) if release(version) < older.below]
    return min(found, key=lambda older: older.below, default=None)


def _line(package: str, version: str | None) -> str:
    if version is None:
        return package
    return f"{package}=={version}" if len(release(version)) > 2 else f"{package}=={version}.*"

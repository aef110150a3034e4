"""What an environment is to contain, and the name that follows from it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from moorage.runners.process.environments import travel
from moorage.runners.process.environments.interpreters import Interpreter
from moorage.runners.process.environments.requirements_file import Requirements, name_in
from moorage.runners.process.images import FrameworkImage, requirements


@dataclass(frozen=True, slots=True)
class Blueprint:
    """What to build."""

    name: str
    """`scikit-learn 1.2.1`."""
    requirements: tuple[str, ...]
    modules: tuple[str, ...]
    """What has to be importable in it."""
    constraints: tuple[str, ...] = ()
    package: str | None = None
    """The distribution of the framework, whose versions are told to who cannot have this one."""

    def folder_name(self, interpreter: Interpreter) -> str:
        """The folder of the environment on an interpreter: for people, then what it depends on as a digest."""
        tag = f"cp{interpreter.minor.replace('.', '')}"
        content = [interpreter.path, interpreter.version, self.requirements, self.constraints]
        return f"{self.name.replace(' ', '-')}-{tag}-{_digest(json.dumps(content), length=12)}"


def blueprint_of(image: FrameworkImage) -> Blueprint:
    """What to build for an image."""
    title, lines = image.framework.title, requirements(image)
    names = {image.framework.package, *image.framework.twins}
    return Blueprint(
        name=" ".join(filter(None, (title, image.version or image.python_needed))),
        requirements=tuple(dict.fromkeys((*lines, *travel.REQUIREMENTS))),
        modules=image.framework.modules,
        package=next((name for line in lines if (name := name_in(line)) in names), None),
    )


def blueprint_with(image: FrameworkImage, asked: Requirements, packages: Sequence[str]) -> Blueprint:
    """What to build for an image and a requirements.txt that does not go with the environment of these `packages`.

    The file wins, as it does where a container installs it. The framework stays as it is unless the file names it:
    an image without a version stands for the one that is installed.
    """
    plain = blueprint_of(image)
    frameworks = {image.framework.package, *image.framework.twins}
    pinned = [line for line in packages if name_in(line) in frameworks]
    lines = [*pinned, *(line for line in plain.requirements if name_in(line) not in map(name_in, pinned))]
    return replace(
        plain,
        name=f"{plain.name} with requirements",
        requirements=(*(line for line in lines if name_in(line) not in asked.names), *asked.lines),
        constraints=asked.constraints,
        package=plain.package if frameworks & asked.names else None,
    )


def _digest(text: str, *, length: int) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:length]

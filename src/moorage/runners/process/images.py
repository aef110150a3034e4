"""Which images are framework images, that is, run from our own runtime instead of by Docker.

The repository's name decides; the registry may be that of any account, region and partition, or none, because image
URIs come from `sagemaker.image_uris`, from Terraform modules and from people.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final


class UnknownImage(Exception):
    """No framework image; the message is the sentence for the endpoint's failure reason."""


@dataclass(frozen=True, slots=True)
class Framework:
    """What an image's instances are forked from."""

    package: str
    modules: tuple[str, ...]
    """What the nursery imports: most of what an unpickled model needs."""


SCIKIT_LEARN: Final = Framework(
    "scikit-learn",
    (
        "numpy",
        "joblib",
        "sklearn.compose",
        "sklearn.ensemble",
        "sklearn.impute",
        "sklearn.linear_model",
        "sklearn.neighbors",
        "sklearn.pipeline",
        "sklearn.preprocessing",
        "sklearn.svm",
        "sklearn.tree",
    ),
)

_FRAMEWORKS: Final = {"sagemaker-scikit-learn": SCIKIT_LEARN, "moorage/scikit-learn": SCIKIT_LEARN}
_IMAGE: Final = re.compile(
    r"(?:\d{12}\.dkr\.ecr(?:-fips)?\.[a-z0-9-]+\.[a-z0-9.-]+/)?"
    r"(?P<repository>[a-z0-9][a-z0-9._/-]*)"
    r"(?::(?P<tag>[\w][\w.-]{0,127}))?(?:@sha256:[0-9a-f]{64})?"
)
_VERSION: Final = re.compile(r"(\d+\.\d+(?:\.\d+)?)(?:-|$)")


@dataclass(frozen=True, slots=True)
class FrameworkImage:
    """A framework and the version of it that the tag asks for, if it does."""

    framework: Framework
    version: str | None


def resolve(image: str) -> FrameworkImage:
    """`683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3` → scikit-learn 1.2.

    Raises UnknownImage.
    """
    match = _IMAGE.fullmatch(image)
    framework = _FRAMEWORKS.get(match["repository"]) if match else None
    if match is None or framework is None:
        raise UnknownImage(
            f"Image {image} is not a framework image Moorage runs by itself ({', '.join(_FRAMEWORKS)}), and other"
            " images need the Docker runner, which is not available yet"
        )
    version = _VERSION.match(match["tag"] or "")
    return FrameworkImage(framework, version[1] if version else None)


def mismatch(image: FrameworkImage, installed: str) -> str | None:
    """What to say if the installed version is of another minor release than the one asked for.

    scikit-learn keeps pickles working within a minor release at best (its guide, "Model persistence").
    """
    if image.version is None or _minor(image.version) == _minor(installed):
        return None
    package = image.framework.package
    return (
        f"the image asks for {package} {image.version}, and {package} {installed} is installed here and serves the"
        " model: answers may differ, and a model may not load"
    )


def _minor(version: str) -> tuple[str, ...]:
    return tuple(version.split(".")[:2])

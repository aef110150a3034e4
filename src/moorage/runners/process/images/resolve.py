"""From the name of an image to what it asks for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from moorage.runners.process.images.catalogue import AWS_TAGS, REPOSITORIES
from moorage.runners.process.images.framework import FrameworkImage

_IMAGE: Final = re.compile(
    r"(?:\d{12}\.dkr[.-]ecr(?:-fips)?\.[a-z0-9-]+\.[a-z0-9.-]+/|public\.ecr\.aws/[a-z0-9._-]+/)?"
    r"(?P<repository>[a-z0-9][a-z0-9._/-]*)"
    r"(?::(?P<tag>[\w][\w.-]{0,127}))?(?:@sha256:[0-9a-f]{64})?"
)
_VERSION: Final = re.compile(r"\d+\.\d+(?:\.\d+)?(?=-|$)")
_TRANSFORMERS: Final = re.compile(r"-transformers(\d+\.\d+(?:\.\d+)?)(?=-|$)")
_PYTHON: Final = re.compile(r"-py(\d)(\d+)(?=-|$)")
_GPU: Final = re.compile(r"-(?:gpu|cu\d+)(?=-|$)")


class UnknownImage(Exception):
    """No framework image; the message is the sentence for the endpoint's failure reason."""


def resolve(image: str) -> FrameworkImage:
    """`683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3` → scikit-learn 1.2.1.

    Raises UnknownImage.
    """
    match = _IMAGE.fullmatch(image)
    if match is None or match["repository"] not in REPOSITORIES:
        raise UnknownImage(
            f"Image {image} is not a framework image Moorage runs by itself ({', '.join(REPOSITORIES)}), and other"
            " images need the Docker runner, which is not available yet"
        )
    return _read(match["repository"], match["tag"] or "latest", image)


def _read(repository: str, tag: str, image: str) -> FrameworkImage:
    framework = REPOSITORIES[repository]
    version = _version(AWS_TAGS.get(repository, {}), tag)
    if version is None and not tag.startswith("latest"):
        raise UnknownImage(
            f"Image {image} does not say which {framework.title}: its tag has to begin with a version, or be latest"
        )
    python = _PYTHON.search(tag)
    asked = FrameworkImage(
        framework, version, python=f"{python[1]}.{python[2]}" if python else None, is_gpu=_GPU.search(tag) is not None
    )
    match repository:
        case "huggingface-pytorch-inference":
            return _above_pytorch(asked, tag)
        case "sagemaker-base-python":
            return replace(asked, version=None)  # it counts releases of the image
        case "moorage/python":
            return replace(asked, version=None, python=version and ".".join(version.split(".")[:2]))
        case _:
            return asked


def _above_pytorch(asked: FrameworkImage, tag: str) -> FrameworkImage:
    """`2.1.0-transformers4.37.0-cpu-py310`: such a tag begins with the version of PyTorch."""
    transformers = _TRANSFORMERS.search(tag)
    companions = (("torch", asked.version),) if asked.version else ()
    return replace(asked, version=transformers[1] if transformers else None, companions=companions)


def _version(aws_tags: Mapping[str, str], tag: str) -> str | None:
    words = tag.split("-")
    for count in range(len(words), 0, -1):
        known = aws_tags.get("-".join(words[:count]))
        if known is not None:
            return known
    found = _VERSION.match(tag)
    return found[0] if found else None

"""From `--framework` to the image URI that SageMaker's own Python SDK would have chosen."""

from __future__ import annotations

from importlib import metadata
from typing import Final

from moorage.cli.failures import Failure

DEFAULT: Final = "sklearn"
_REPOSITORIES: Final = {"sklearn": "sagemaker-scikit-learn"}
_DISTRIBUTIONS: Final = {"sklearn": "scikit-learn"}


def image_uri(framework: str, *, account_id: str, region: str) -> str:
    """The image of `NAME` or `NAME:VERSION`; without a version, the one installed beside Moorage.

    Raises Failure for a framework that Moorage does not run.
    """
    name, _, version = framework.partition(":")
    if name not in _REPOSITORIES:
        raise Failure(
            f"There is no framework {name!r}; known: {', '.join(_REPOSITORIES)}.",
            hint="Another image can be given by its URI: --image URI",
        )
    tag = f"{version or _installed_version(name)}-cpu-py3"
    return f"{account_id}.dkr.ecr.{region}.amazonaws.com/{_REPOSITORIES[name]}:{tag}"


def _installed_version(name: str) -> str:
    try:
        major, minor, *_ = metadata.version(_DISTRIBUTIONS[name]).split(".")
    except metadata.PackageNotFoundError:
        raise Failure(
            f"{_DISTRIBUTIONS[name]} is not installed beside Moorage, so that no model of it can be served.",
            hint=f"Install it: pip install 'moorage[{name}]'",
        ) from None
    return f"{major}.{minor}-1"

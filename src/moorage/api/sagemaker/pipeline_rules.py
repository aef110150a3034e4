"""What the several containers of a model have to be to each other. Pure.

Sources: CreateModel's reference (ContainerHostname), the guide's "Create a multi-container endpoint" (what Direct
needs), aws/amazon-sagemaker-examples and sagemaker-autopilot issues for the wording that is said to be observed. The
other wording is ours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from moorage.api.sagemaker.errors import invalid
from moorage.aws.types.sagemaker import ContainerDefinition, CreateModelInput

_ENVIRONMENT_BYTES_MAX: Final = 32 * 1024


def check_together(request: CreateModelInput, containers: Sequence[ContainerDefinition]) -> None:
    """Raises ValidationException."""
    _check_environments(containers)
    is_direct = request.get("InferenceExecutionConfig", {}).get("Mode") == "Direct"
    if is_direct and len(containers) == 1:
        raise invalid("InferenceExecutionConfig.Mode Direct needs more than one container in Containers.")
    if len(containers) > 1:
        _check_hostnames(containers, is_direct=is_direct)
        _check_modes(containers, is_direct=is_direct)


def _check_environments(containers: Sequence[ContainerDefinition]) -> None:
    entries = [entry for container in containers for entry in container.get("Environment", {}).items()]
    if sum(len(key.encode()) + len(value.encode()) for key, value in entries) > _ENVIRONMENT_BYTES_MAX:
        raise invalid(f"Environment cannot be larger than {_ENVIRONMENT_BYTES_MAX} bytes in total.")


def _check_hostnames(containers: Sequence[ContainerDefinition], *, is_direct: bool) -> None:
    names = [container["ContainerHostname"] for container in containers if container.get("ContainerHostname")]
    if is_direct and len(names) < len(containers):
        raise invalid("InferenceExecutionConfig.Mode Direct needs a ContainerHostname for each of the Containers.")
    if names and len(names) < len(containers):
        raise invalid("If one of the Containers has a ContainerHostname, each of them must have one.")
    for name, count in Counter(names).items():
        if count > 1:
            raise invalid(f"Each of the Containers must have a ContainerHostname of its own: {count} are '{name}'.")


def _check_modes(containers: Sequence[ContainerDefinition], *, is_direct: bool) -> None:
    multi_model = sum(container.get("Mode") == "MultiModel" for container in containers)
    if is_direct and multi_model:
        raise invalid(
            "A container in MultiModel mode cannot be invoked directly: InferenceExecutionConfig.Mode Direct."
        )
    if multi_model > 1:
        raise invalid("More than one container in MultiModel mode is not supported with inference pipeline.")

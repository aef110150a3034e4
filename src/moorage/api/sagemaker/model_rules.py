"""What a model may be, beyond the shapes of its members. Pure.

Order: first what SageMaker refuses, then what Moorage cannot honour yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from moorage.api.sagemaker.containers import definitions_of
from moorage.api.sagemaker.data_rules import check_data_sources
from moorage.api.sagemaker.errors import invalid, unsupported
from moorage.api.sagemaker.multi_model_rules import check_multi_model
from moorage.api.sagemaker.pipeline_rules import check_together
from moorage.aws.types.sagemaker import ContainerDefinition, CreateModelInput
from moorage.core import concurrency

_UNSUPPORTED_IN_CONTAINER: Final = (
    "ModelPackageName",
    "InferenceSpecificationName",
    "ContainerMetricsConfig",
)


def checked_containers(request: CreateModelInput) -> Sequence[ContainerDefinition]:
    """The containers of a model, in order. Raises ValidationException."""
    if "PrimaryContainer" in request and request.get("Containers"):
        raise invalid("PrimaryContainer and Containers cannot both be given.")
    containers = definitions_of(request)
    if not containers:
        raise invalid("One of PrimaryContainer and Containers must be given.")
    for container in containers:
        _check_container(container)
    check_together(request, containers)
    if request.get("EnableNetworkIsolation"):
        raise unsupported("EnableNetworkIsolation")
    return containers


def _check_container(container: ContainerDefinition) -> None:
    if "Image" not in container and "ModelPackageName" not in container:
        raise invalid("A container needs an Image or a ModelPackageName.")
    environment = container.get("Environment", {})
    for key, value in environment.items():
        if "\0" in value:
            raise invalid(f"The value of '{key}' in Environment cannot hold a NUL character.")
    if not concurrency.is_valid(environment):
        raise invalid(f"The value of '{concurrency.VARIABLE}' in Environment must be {concurrency.RULE}.")
    check_multi_model(container)
    for member in _UNSUPPORTED_IN_CONTAINER:
        if member in container:
            raise unsupported(member)
    image = container.get("ImageConfig", {"RepositoryAccessMode": "Platform"})
    if image["RepositoryAccessMode"] != "Platform" or "RepositoryAuthConfig" in image:
        raise unsupported("ImageConfig.RepositoryAccessMode Vpc")
    check_data_sources(container)

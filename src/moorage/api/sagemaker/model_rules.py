"""What a model may be, beyond the shapes of its members. Pure.

Order: first what SageMaker refuses, then what Moorage cannot honour yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from moorage.api.sagemaker.containers import definitions_of
from moorage.api.sagemaker.errors import invalid, unsupported
from moorage.aws.types.sagemaker import ContainerDefinition, CreateModelInput
from moorage.core import concurrency

_ENVIRONMENT_BYTES_MAX: Final = 32 * 1024
_UNSUPPORTED_IN_CONTAINER: Final = (
    "ModelPackageName",
    "InferenceSpecificationName",
    "AdditionalModelDataSources",
    "MultiModelConfig",
    "ContainerMetricsConfig",
)
_UNSUPPORTED_IN_SOURCE: Final = ("HubAccessConfig", "ManifestS3Uri", "ETag", "ManifestEtag")


def checked_containers(request: CreateModelInput) -> Sequence[ContainerDefinition]:
    """The containers of a model, in order. Raises ValidationException."""
    if "PrimaryContainer" in request and request.get("Containers"):
        raise invalid("PrimaryContainer and Containers cannot both be given.")
    containers = definitions_of(request)
    if not containers:
        raise invalid("One of PrimaryContainer and Containers must be given.")
    if len(containers) > 1:
        raise unsupported("a model of several Containers (an inference pipeline)")
    for container in containers:
        _check_container(container)
    if request.get("EnableNetworkIsolation"):
        raise unsupported("EnableNetworkIsolation")
    if request.get("InferenceExecutionConfig", {}).get("Mode") == "Direct":
        raise unsupported("InferenceExecutionConfig.Mode Direct")
    return containers


def _check_container(container: ContainerDefinition) -> None:
    if "Image" not in container and "ModelPackageName" not in container:
        raise invalid("A container needs an Image or a ModelPackageName.")
    if "ModelDataUrl" in container and "ModelDataSource" in container:
        raise invalid("ModelDataUrl and ModelDataSource cannot both be given.")
    environment = container.get("Environment", {})
    if sum(len(key.encode()) + len(value.encode()) for key, value in environment.items()) > _ENVIRONMENT_BYTES_MAX:
        raise invalid(f"Environment cannot be larger than {_ENVIRONMENT_BYTES_MAX} bytes in total.")
    for key, value in environment.items():
        if "\0" in value:
            raise invalid(f"The value of '{key}' in Environment cannot hold a NUL character.")
    if not concurrency.is_valid(environment):
        raise invalid(f"The value of '{concurrency.VARIABLE}' in Environment must be {concurrency.RULE}.")
    if container.get("Mode") == "MultiModel":
        raise unsupported("Mode MultiModel")
    for member in _UNSUPPORTED_IN_CONTAINER:
        if member in container:
            raise unsupported(member)
    image = container.get("ImageConfig", {"RepositoryAccessMode": "Platform"})
    if image["RepositoryAccessMode"] != "Platform" or "RepositoryAuthConfig" in image:
        raise unsupported("ImageConfig.RepositoryAccessMode Vpc")
    _check_data_source(container)


def _check_data_source(container: ContainerDefinition) -> None:
    source = container.get("ModelDataSource", {}).get("S3DataSource")
    if source is None:
        return
    for member in _UNSUPPORTED_IN_SOURCE:
        if member in source:
            raise unsupported(f"ModelDataSource.S3DataSource.{member}")
    if source["CompressionType"] != "Gzip" or source["S3DataType"] != "S3Object":
        raise unsupported(
            "ModelDataSource.S3DataSource other than CompressionType Gzip with S3DataType S3Object (one .tar.gz)"
        )

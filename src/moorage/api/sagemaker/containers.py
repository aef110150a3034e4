"""From the container definitions of a model to the containers of its instances. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from moorage.aws.types.sagemaker import (
    AdditionalModelDataSource,
    ContainerDefinition,
    CreateModelInput,
    S3ModelDataSource,
)
from moorage.core.model import Container, DataChannel, DataForm, ModelData
from moorage.store.base import Document


def containers_of(model: Document) -> tuple[Container, ...]:
    """The containers of a stored model, in the order in which a request passes them."""
    definitions = definitions_of(cast(CreateModelInput, model.body))
    if len(definitions) == 1:
        return (_container(definitions[0]),)  # called primary whatever its hostname
    return tuple(
        replace(_container(definition), name=definition.get("ContainerHostname", f"container-{number}"))
        for number, definition in enumerate(definitions, 1)
    )


def definitions_of(model: CreateModelInput) -> Sequence[ContainerDefinition]:
    """The container definitions of a model."""
    return (model["PrimaryContainer"],) if "PrimaryContainer" in model else model.get("Containers", ())


def model_data_of(definition: ContainerDefinition) -> ModelData | None:
    """Where the container's model data lies, whichever of the two members names it."""
    source = definition.get("ModelDataSource", {}).get("S3DataSource")
    if source is not None:
        return _data(source)
    url = definition.get("ModelDataUrl")
    if url is None:
        return None
    if not is_multi_model(definition):
        return ModelData(url, DataForm.ARCHIVE)
    return ModelData(url if url.endswith("/") else f"{url}/", DataForm.PREFIX)


def channels_of(definition: ContainerDefinition) -> tuple[DataChannel, ...]:
    """The container's additional model data."""
    return tuple(_channel(source) for source in definition.get("AdditionalModelDataSources", ()))


def is_multi_model(definition: ContainerDefinition) -> bool:
    """Whether the container serves any of the models below a prefix."""
    return definition.get("Mode", "SingleModel") == "MultiModel"


def _container(definition: ContainerDefinition) -> Container:
    return Container(
        image=definition["Image"],
        model_data=model_data_of(definition),
        environment=definition.get("Environment", {}),
        channels=channels_of(definition),
        is_multi_model=is_multi_model(definition),
        keeps_models=definition.get("MultiModelConfig", {}).get("ModelCacheSetting", "Enabled") == "Enabled",
    )


def _channel(source: AdditionalModelDataSource) -> DataChannel:
    return DataChannel(source["ChannelName"], _data(source["S3DataSource"]))


def _data(source: S3ModelDataSource) -> ModelData:
    if source["CompressionType"] == "Gzip":
        form = DataForm.ARCHIVE
    else:
        form = DataForm.PREFIX if source["S3DataType"] == "S3Prefix" else DataForm.OBJECT
    return ModelData(source["S3Uri"], form, source.get("ETag"))

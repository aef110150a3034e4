"""Where model data may lie, beyond the shapes of the members. Pure. The rules are botocore 1.43's on each member."""

from __future__ import annotations

from collections import Counter
from typing import Final

from moorage.api.sagemaker.containers import is_multi_model
from moorage.api.sagemaker.errors import invalid, unsupported
from moorage.aws.types.sagemaker import ContainerDefinition, S3ModelDataSource

_SOURCE: Final = "ModelDataSource.S3DataSource"
_CHANNEL: Final = "AdditionalModelDataSources.S3DataSource"
_UNSUPPORTED: Final = ("HubAccessConfig", "ManifestS3Uri", "ManifestEtag")
"""A hub is not ours, and what a manifest looks like is not documented but for being a CSV file."""


def check_data_sources(container: ContainerDefinition) -> None:
    """Raises ValidationException."""
    source = container.get("ModelDataSource", {}).get("S3DataSource")
    if source is not None and "ModelDataUrl" in container:
        raise invalid("ModelDataUrl and ModelDataSource cannot both be given.")
    if source is not None and is_multi_model(container):
        raise invalid("ModelDataSource cannot be given with Mode MultiModel: ModelDataUrl is where the models lie.")
    if source is not None:
        _check(source, _SOURCE)
    channels = container.get("AdditionalModelDataSources", ())
    for channel in channels:
        _check(channel["S3DataSource"], _CHANNEL)
    _check_names(Counter(channel["ChannelName"] for channel in channels))


def _check_names(names: Counter[str]) -> None:
    for name, count in names.items():
        if name in (".", ".."):
            raise invalid(f"AdditionalModelDataSources.ChannelName '{name}' cannot be the name of a folder.")
        if count > 1:
            raise invalid(f"AdditionalModelDataSources.ChannelName '{name}' is used more than once.")


def _check(source: S3ModelDataSource, member: str) -> None:
    for unknown in _UNSUPPORTED:
        if unknown in source:
            raise unsupported(f"{member}.{unknown}")
    if source["S3DataType"] == "S3Object":
        if source["CompressionType"] == "None" and source["S3Uri"].endswith("/"):
            raise invalid(f"{member}.S3Uri of S3DataType S3Object must name an object: it cannot end in a slash.")
        return
    if source["CompressionType"] == "Gzip":
        raise invalid(f"{member}.CompressionType Gzip is for S3DataType S3Object: one .tar.gz.")
    if not source["S3Uri"].endswith("/"):
        raise invalid(f"{member}.S3Uri of S3DataType S3Prefix must end in a slash.")
    if "ETag" in source:
        raise invalid(f"{member}.ETag is of one object: it cannot be given with S3DataType S3Prefix.")

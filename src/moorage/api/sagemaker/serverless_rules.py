"""What a serverless variant may be, and what of it the domain has to know. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from moorage.api.sagemaker.errors import invalid
from moorage.aws.types.sagemaker import DesiredWeightAndCapacity, ProductionVariant
from moorage.core.model import Container, DataForm, Serverless, Variant

MEMORY_STEP_MB: Final = 1024
STARTUP_TIMEOUT_S: Final = 180.0
"""A serverless container has three minutes to start (guide, "serverless endpoints: invoke")."""
_FOR_INSTANCES: Final = ("InstanceType", "InitialInstanceCount", "InstancePools", "VolumeSizeInGB", "AcceleratorType")


def check_serverless(variants: Sequence[ProductionVariant]) -> None:
    """Raises ValidationException where one of the variants is serverless and must not be what it is."""
    for variant in variants:
        if "ServerlessConfig" not in variant:
            continue
        if len(variants) > 1:
            raise invalid("An endpoint configuration with a serverless variant must have exactly one variant.")
        name, config = variant["VariantName"], variant["ServerlessConfig"]
        for member in _FOR_INSTANCES:
            if member in variant:
                raise invalid(f"Variant '{name}' cannot have both ServerlessConfig and {member}.")
        if config["MemorySizeInMB"] % MEMORY_STEP_MB:
            raise invalid(
                f"MemorySizeInMB of variant '{name}' must be a multiple of {MEMORY_STEP_MB}, which"
                f" {config['MemorySizeInMB']} is not."
            )
        _check_provisioned(name, serverless_of(config))


def check_capacities(changes: Sequence[DesiredWeightAndCapacity], changed: Sequence[Variant]) -> None:
    """Raises ValidationException where a change is none for its kind of variant; `changed` is as it would be."""
    wanted = {change["VariantName"]: change for change in changes}
    for variant in changed:
        change = wanted.get(variant.name, {"VariantName": variant.name})
        if variant.serverless is None:
            if "ServerlessUpdateConfig" in change:
                raise invalid(f"Variant '{variant.name}' is not serverless and cannot have a ServerlessUpdateConfig.")
            continue
        if "DesiredInstanceCount" in change:
            raise invalid(f"Variant '{variant.name}' is serverless and cannot have a DesiredInstanceCount.")
        _check_provisioned(variant.name, variant.serverless)


def check_serverless_model(name: str, containers: Sequence[Container]) -> None:
    """Raises ValidationException if a serverless variant cannot serve what runs in these containers."""
    if len(containers) > 1:
        raise invalid(f"Variant '{name}' is serverless, and its model cannot have several containers.")
    [container] = containers
    if container.is_multi_model:
        raise invalid(f"Variant '{name}' is serverless, and its model cannot have Mode MultiModel.")
    is_archive = container.model_data is None or container.model_data.form is DataForm.ARCHIVE
    if not is_archive or container.channels:
        raise invalid(f"Variant '{name}' is serverless, and its model data must be one archive (CompressionType Gzip).")


def serverless_of(config: Mapping[str, Any]) -> Serverless:
    """A ServerlessConfig in the words of the domain."""
    return Serverless(config["MemorySizeInMB"], config["MaxConcurrency"], config.get("ProvisionedConcurrency", 0))


def instance_type_of(serverless: Serverless) -> str:
    """The smallest type that has the memory: what its one instance is counted as."""
    return "ml.t2.medium" if serverless.memory_mb <= 4 * MEMORY_STEP_MB else "ml.m5.large"


def _check_provisioned(name: str, serverless: Serverless) -> None:
    if serverless.provisioned_concurrency > serverless.concurrency_max:
        raise invalid(
            f"ProvisionedConcurrency {serverless.provisioned_concurrency} of variant '{name}' must be less than or"
            f" equal to its MaxConcurrency {serverless.concurrency_max}."
        )

"""What a container of many models may be. Pure."""

from __future__ import annotations

from moorage.api.sagemaker.containers import is_multi_model
from moorage.api.sagemaker.errors import invalid
from moorage.aws.types.sagemaker import ContainerDefinition
from moorage.core import model_cache


def check_multi_model(container: ContainerDefinition) -> None:
    """Raises ValidationException."""
    if not is_multi_model(container):
        if "MultiModelConfig" in container:
            raise invalid("MultiModelConfig can be given with Mode MultiModel only.")
        return
    if "ModelDataUrl" not in container:
        raise invalid("A container with Mode MultiModel needs a ModelDataUrl: the prefix below which its models lie.")
    variable = model_cache.violation(container.get("Environment", {}))
    if variable is not None:
        raise invalid(f"The value of '{variable}' in Environment must be {model_cache.RULE}.")

"""SageMaker's hosting API: models, endpoint configs, endpoints and their tags."""

from moorage.api.sagemaker.service import SageMaker

__all__ = ["SageMaker"]

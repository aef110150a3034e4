"""AWS Secrets Manager: random passwords."""

from moorage.api.secretsmanager.service import SecretsManager

__all__ = ["SecretsManager"]

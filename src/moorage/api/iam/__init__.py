"""AWS Identity and Access Management: roles and policies as stored documents. IAM has no regions."""

from moorage.api.iam.service import Iam

__all__ = ["Iam"]

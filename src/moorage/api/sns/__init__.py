"""Amazon SNS: topics whose subscribers are told over HTTP, or in Moorage's own log."""

from moorage.api.sns.service import Sns

__all__ = ["Sns"]

"""What Application Auto Scaling says when it refuses. Sentences that are AWS's own carry their source."""

from __future__ import annotations

from moorage.aws.errors import ServiceError
from moorage.core.scaling.model import TargetKey


def invalid(message: str) -> ServiceError:
    """A value, or a combination of values, that cannot be accepted."""
    return ServiceError("ValidationException", message)


def unsupported(member: str) -> ServiceError:
    """A member that AWS accepts and Moorage cannot honour: refused, rather than silently left out."""
    return invalid(f"Moorage does not support {member}.")


def unscalable() -> ServiceError:
    """A resource that is none of the service's. Observed."""
    return invalid("Unsupported service namespace, resource type or scalable dimension")


def not_registered(key: TargetKey) -> ServiceError:
    """Observed."""
    return _not_found("No scalable target registered", key)


def no_policy(key: TargetKey, name: str) -> ServiceError:
    """In the form of the sentence about targets."""
    return _not_found("No scaling policy found", key, f", policy name: {name}")


def no_action(key: TargetKey, name: str) -> ServiceError:
    """In the form of the sentence about targets."""
    return _not_found("No scheduled action found", key, f", scheduled action name: {name}")


def no_resource(arn: str) -> ServiceError:
    """For tags."""
    return ServiceError("ResourceNotFoundException", f"No scalable target found for ARN: {arn}")


def limit_exceeded(what: str, most: int) -> ServiceError:
    """A quota is used up."""
    return ServiceError("LimitExceededException", f"There can be {most} {what} at most.")


def wrong_token() -> ServiceError:
    """A NextToken that no answer contained."""
    return ServiceError("InvalidNextTokenException", "The NextToken is not one that this list gave.")


def _not_found(what: str, key: TargetKey, rest: str = "") -> ServiceError:
    where = f"service namespace: sagemaker, resource ID: {key.resource_id}, scalable dimension: {key.dimension.value}"
    return ServiceError("ObjectNotFoundException", f"{what} for {where}{rest}")

"""What CloudWatch says when it refuses: its codes, and its wording where that is known.

Paths are written as the query protocol has them, whatever protocol is spoken: `MetricData.member.1.Value`.
"""

from __future__ import annotations

from moorage.aws.errors import ServiceError


def invalid_value(message: str) -> ServiceError:
    """A value that cannot be accepted."""
    return ServiceError("InvalidParameterValue", message)


def invalid_combination(message: str) -> ServiceError:
    """Members that cannot be given together, or not with these values."""
    return ServiceError("InvalidParameterCombination", message)


def invalid_query(message: str) -> ServiceError:
    """Queries of metric data that cannot be answered."""
    return ServiceError("ValidationError", message)


def missing(message: str) -> ServiceError:
    """A member without which there is nothing to do."""
    return ServiceError("MissingParameter", message)


def exclusive(first: str, second: str) -> ServiceError:
    """Two members of which at most one may be given."""
    return invalid_combination(
        f"The parameters {first} and {second} are mutually exclusive and you have specified both."
    )


def required(path: str) -> ServiceError:
    """A member that is not there."""
    return missing(f"The parameter {path} is required.")


def unsupported(member: str) -> ServiceError:
    """A member that CloudWatch accepts and Moorage cannot honour: refused, rather than silently left out."""
    return invalid_value(f"Moorage does not support {member}.")


def limit_exceeded(message: str) -> ServiceError:
    """More than there may be."""
    return ServiceError("LimitExceeded", message)

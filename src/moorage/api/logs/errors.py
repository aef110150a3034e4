"""What CloudWatch Logs says when it refuses. Observed with boto3, where it is AWS's own wording."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moorage.aws.errors import ServiceError


def no_such_group() -> ServiceError:
    """There is no log group of that name."""
    return ServiceError("ResourceNotFoundException", "The specified log group does not exist.")


def no_such_stream() -> ServiceError:
    """The group has no stream of that name."""
    return ServiceError("ResourceNotFoundException", "The specified log stream does not exist.")


def group_exists() -> ServiceError:
    """A group of that name is there already."""
    return ServiceError("ResourceAlreadyExistsException", "The specified log group already exists")


def stream_exists() -> ServiceError:
    """A stream of that name is there already."""
    return ServiceError("ResourceAlreadyExistsException", "The specified log stream already exists")


def no_such_filter() -> ServiceError:
    """The group has no metric filter of that name."""
    return ServiceError("ResourceNotFoundException", "The specified metric filter does not exist.")


def limit_exceeded(message: str) -> ServiceError:
    """More of something than there may be."""
    return ServiceError("LimitExceededException", message)


def invalid(message: str) -> ServiceError:
    """A parameter, or a combination of parameters, that cannot be accepted."""
    return ServiceError("InvalidParameterException", message)


def invalid_token() -> ServiceError:
    """A token that no answer contained."""
    return invalid("The specified nextToken is invalid.")


def refuse_unsupported(request: Mapping[str, Any], *members: str) -> None:
    """Raise InvalidParameterException if the request has one of the members, which are all that we do not do."""
    for member in members:
        if request.get(member):
            raise invalid(f"Moorage does not support {member} in CloudWatch Logs.")

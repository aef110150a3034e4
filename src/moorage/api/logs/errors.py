"""What CloudWatch Logs says when it refuses. Observed with boto3, where it is AWS's own wording."""

from __future__ import annotations

from moorage.aws.errors import ServiceError


def no_such_group() -> ServiceError:
    """The endpoint has no logs, or the name is not an endpoint's."""
    return ServiceError("ResourceNotFoundException", "The specified log group does not exist.")


def no_such_stream() -> ServiceError:
    """The endpoint has logs, but not of that instance."""
    return ServiceError("ResourceNotFoundException", "The specified log stream does not exist.")


def invalid(message: str) -> ServiceError:
    """A parameter, or a combination of parameters, that cannot be accepted."""
    return ServiceError("InvalidParameterException", message)


def invalid_token() -> ServiceError:
    """A token that no answer contained."""
    return invalid("The specified nextToken is invalid.")

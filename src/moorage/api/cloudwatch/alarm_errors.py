"""What CloudWatch says when it refuses something about alarms."""

from __future__ import annotations

from moorage.aws.errors import ServiceError


def invalid(message: str) -> ServiceError:
    """A definition that breaks a rule."""
    return ServiceError("ValidationError", message)


def refused(what: str) -> ServiceError:
    """Something that CloudWatch accepts and Moorage cannot honour: refused, rather than silently left out."""
    return invalid(f"Moorage does not support {what}.")


def no_such_alarm(name: str) -> ServiceError:
    """There is no alarm of that name."""
    return ServiceError("ResourceNotFound", f"Could not find alarm {name}.", status=404)


def in_use(name: str, parents: list[str]) -> ServiceError:
    """An alarm that others go by."""
    others = ", ".join(parents)
    return invalid(f"Cannot delete {name} as there are composite alarm(s) depending on it: {others}.")


def invalid_format(message: str) -> ServiceError:
    """Data that is not JSON."""
    return ServiceError("InvalidFormat", message)


def wrong_token() -> ServiceError:
    """A page of another list, or of none."""
    return ServiceError("InvalidNextToken", "NextToken is not one that this list gave.")


def too_many_alarms(limit: int) -> ServiceError:
    """More alarms than there may be."""
    return ServiceError("LimitExceeded", f"A region can have {limit} alarms at most.")

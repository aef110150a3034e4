"""What SNS says when it refuses: its codes and wording."""

from __future__ import annotations

from moorage.aws.errors import ServiceError


def invalid(what: str, why: str) -> ServiceError:
    """A parameter that cannot be accepted."""
    return ServiceError("InvalidParameter", f"Invalid parameter: {what} Reason: {why}")


def refused(what: str) -> ServiceError:
    """Something that SNS accepts and Moorage cannot honour: refused, rather than silently left out."""
    return invalid(what, f"Moorage does not support {what}")


def no_such_topic() -> ServiceError:
    """There is no topic of that ARN."""
    return ServiceError("NotFound", "Topic does not exist", status=404)


def no_such_subscription() -> ServiceError:
    """There is no subscription of that ARN."""
    return ServiceError("NotFound", "Subscription does not exist", status=404)


def no_such_resource() -> ServiceError:
    """There is nothing of that ARN that could have tags."""
    return ServiceError("ResourceNotFound", "Resource does not exist", status=404)


def throttled() -> ServiceError:
    """So many notifications are on their way that no other is taken."""
    return ServiceError("Throttled", "Rate exceeded", status=429)


def too_many(code: str, message: str) -> ServiceError:
    """More than there may be: `TopicLimitExceeded`, `SubscriptionLimitExceeded`, `TagLimitExceeded`."""
    return ServiceError(code, message, status=400 if code.startswith("Tag") else 403)

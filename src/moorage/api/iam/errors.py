"""IAM's refusals, in its words (observed with boto3, and as quoted in AWS's re:Post and Terraform's issues)."""

from __future__ import annotations

from moorage.aws.errors import ServiceError


def no_such_role(name: str) -> ServiceError:
    return ServiceError("NoSuchEntity", f"The role with name {name} cannot be found.")


def no_such_policy(arn: str) -> ServiceError:
    return ServiceError("NoSuchEntity", f"Policy {arn} was not found.")


def no_such_version(arn: str, version_id: str) -> ServiceError:
    return ServiceError("NoSuchEntity", f"Policy {arn} version {version_id} does not exist or is not attachable.")


def not_attachable(arn: str) -> ServiceError:
    return ServiceError("NoSuchEntity", f"Policy {arn} does not exist or is not attachable.")


def no_such_inline_policy(entity: str, name: str) -> ServiceError:
    return ServiceError("NoSuchEntity", f"The {entity} policy with name {name} cannot be found.")


def no_such_user(name: str) -> ServiceError:
    return ServiceError("NoSuchEntity", f"The user with name {name} cannot be found.")


def no_such_access_key(key_id: str) -> ServiceError:
    return ServiceError("NoSuchEntity", f"The Access Key with id {key_id} cannot be found.")


def user_exists(name: str) -> ServiceError:
    return ServiceError("EntityAlreadyExists", f"User with name {name} already exists.")


def role_exists(name: str) -> ServiceError:
    return ServiceError("EntityAlreadyExists", f"Role with name {name} already exists.")


def policy_exists(name: str) -> ServiceError:
    message = f"A policy called {name} already exists. Duplicate names are not allowed."
    return ServiceError("EntityAlreadyExists", message)


def delete_conflict(message: str) -> ServiceError:
    return ServiceError("DeleteConflict", message)


def limit_exceeded(message: str) -> ServiceError:
    return ServiceError("LimitExceeded", message)


def malformed(message: str) -> ServiceError:
    return ServiceError("MalformedPolicyDocument", message)


def invalid(message: str) -> ServiceError:
    return ServiceError("ValidationError", message)

"""What SageMaker's hosting API says when it refuses: every code and wording in one place.

Sources are given where a sentence is AWS's own; the others are Moorage's, for cases whose wording is not known.
"""

from __future__ import annotations

import enum

from moorage.aws.errors import ServiceError
from moorage.core.names import sagemaker_arn


class Kind(enum.Enum):
    """The resources, by the word in their ARN and the words in messages."""

    MODEL = "model", "model"
    ENDPOINT_CONFIG = "endpoint-config", "endpoint configuration"
    ENDPOINT = "endpoint", "endpoint"

    def __init__(self, in_arn: str, in_words: str) -> None:
        self.in_arn = in_arn
        self.in_words = in_words

    def arn(self, region: str, account_id: str, name: str) -> str:
        """The ARN of the resource of that name."""
        return sagemaker_arn(region, account_id, self.in_arn, name)


def invalid(message: str) -> ServiceError:
    """A value, or a combination of values, that cannot be accepted."""
    return ServiceError("ValidationException", message)


def unsupported(member: str) -> ServiceError:
    """A member that SageMaker accepts and Moorage cannot honour: refused, rather than silently left out."""
    return invalid(f"Moorage does not support {member} yet.")


def not_found(kind: Kind, arn: str) -> ServiceError:
    """Observed with boto3."""
    return invalid(f'Could not find {kind.in_words} "{arn}".')


def already_exists(kind: Kind, arn: str) -> ServiceError:
    """Observed with boto3."""
    return invalid(f'Cannot create already existing {kind.in_words} "{arn}".')


def in_progress(arn: str) -> ServiceError:
    """Observed with boto3, also as the answer to DeleteEndpoint (aws/amazon-sagemaker-operator-for-k8s)."""
    return invalid(f'Cannot update in-progress endpoint "{arn}".')


def failed_endpoint(arn: str) -> ServiceError:
    """Only DeleteEndpoint is allowed on an endpoint that failed."""
    return invalid(f'Cannot update endpoint "{arn}" because it has failed. Delete it and create it again.')


def unknown_variants(names: tuple[str, ...], *, config_arn: str) -> ServiceError:
    """For UpdateEndpointWeightsAndCapacities."""
    listed = ", ".join(f'"{name}"' for name in names)
    return invalid(f'The variant name(s) {listed} is/are not present within endpoint configuration "{config_arn}".')


def scaled_variant(name: str, arn: str) -> ServiceError:
    """For UpdateEndpoint, where a variant is registered as a scalable target."""
    return invalid(
        f'Cannot change the instance type of variant "{name}" of endpoint "{arn}" while it is registered as a scalable '
        "target. Deregister the variant, update the endpoint, and register the variant again."
    )


def model_data_unreadable(url: str, *, role_arn: str, region: str) -> ServiceError:
    """Observed with boto3. Said of the role and of the data alike, so as not to tell whether an object exists."""
    return invalid(
        f'Could not access model data at {url}. Please ensure that the role "{role_arn}" exists and that its trust '
        'relationship policy allows the action "sts:AssumeRole" for the service principal "sagemaker.amazonaws.com". '
        'Also ensure that the role has "s3:GetObject" permissions and that the object is located in '
        f"{region}."
    )


def model_data_unreachable(url: str) -> ServiceError:
    """Nobody is at fault but the place where the data lies, and it may be back soon."""
    return ServiceError(
        "ServiceUnavailable", f"The object store of {url} cannot be reached now. Try again.", status=503
    )


def role_unusable(role_arn: str) -> ServiceError:
    """For a role that SageMaker may not assume, where there is no model data to speak of."""
    return invalid(
        f"Could not assume role {role_arn}. Please ensure that the role exists and allows principal "
        "'sagemaker.amazonaws.com' to assume the role."
    )


def instance_limit(instance_type: str, *, limit: int, used: int, delta: int) -> ServiceError:
    """Observed with boto3."""
    return ServiceError(
        "ResourceLimitExceeded",
        f"The account-level service limit '{instance_type} for endpoint usage' is {limit} Instances, with current "
        f"utilization of {used} Instances and a request delta of {delta} Instances. Please use AWS Service Quotas to "
        "request an increase for this quota. If AWS Service Quotas is not available, contact AWS support to request "
        "an increase for this quota.",
    )

"""What a caller must be allowed to do for an operation of SageMaker's: the action on every resource that it names.

In ARNs names are in lower case, so what differs in case only cannot get around a policy.
Source: service authorization reference, "Actions, resources, and condition keys for Amazon SageMaker".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from moorage.api.sagemaker.errors import Kind
from moorage.core.iam.principal import Requirement

_NAMED: Final = {
    "EndpointName": Kind.ENDPOINT,
    "EndpointConfigName": Kind.ENDPOINT_CONFIG,
    "ModelName": Kind.MODEL,
}
_PASSED_TO: Final = {"iam:passedtoservice": ("sagemaker.amazonaws.com",)}


def requirements(operation: str, request: Mapping[str, Any], *, region: str, account_id: str) -> list[Requirement]:
    """The action itself; to tag what is created with tags; to pass the role that SageMaker is to assume."""
    named = list(_resources(request, region, account_id))
    required = [Requirement(f"sagemaker:{operation}", arn) for arn in named or ["*"]]
    if request.get("Tags") and named:
        required.append(Requirement("sagemaker:AddTags", named[0]))
    if "ExecutionRoleArn" in request:
        required.append(Requirement("iam:PassRole", request["ExecutionRoleArn"], _PASSED_TO))
    return required


def _resources(request: Mapping[str, Any], region: str, account_id: str) -> Iterator[str]:
    for member, kind in _NAMED.items():
        if member in request:
            yield kind.arn(region, account_id, request[member])
    if "ResourceArn" in request:
        yield request["ResourceArn"].lower()

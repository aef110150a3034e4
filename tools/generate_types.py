"""Write `src/moorage/aws/types/<service>.py`: typed dicts of the requests and answers we implement.

Run it after adding an operation to `OPERATIONS` or raising botocore; a unit test holds the files equal to what this
prints. Names are the shape names of botocore's service models, so `DescribeEndpointOutput` is found in AWS's own
documentation under that name. The text is made as ruff's formatter would leave it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from botocore.model import OperationModel, ServiceModel

from moorage.aws.services import service

TARGET: Final = Path(__file__).resolve().parent.parent / "src" / "moorage" / "aws" / "types"

LINE_LENGTH: Final = 120
ENUM_VALUES_MAX: Final = 16
"""Longer enumerations are plain `str`: a Literal of the 271 instance types helps nobody."""

OPERATIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "sagemaker": (
        "AddTags",
        "CreateEndpoint",
        "CreateEndpointConfig",
        "CreateModel",
        "DeleteEndpoint",
        "DeleteEndpointConfig",
        "DeleteModel",
        "DeleteTags",
        "DescribeEndpoint",
        "DescribeEndpointConfig",
        "DescribeModel",
        "ListEndpointConfigs",
        "ListEndpoints",
        "ListModels",
        "ListTags",
        "UpdateEndpoint",
        "UpdateEndpointWeightsAndCapacities",
    ),
    "iam": (
        "AttachRolePolicy",
        "AttachUserPolicy",
        "CreateAccessKey",
        "CreatePolicy",
        "CreatePolicyVersion",
        "CreateRole",
        "CreateUser",
        "DeleteAccessKey",
        "DeletePolicy",
        "DeletePolicyVersion",
        "DeleteRole",
        "DeleteRolePolicy",
        "DeleteUser",
        "DeleteUserPolicy",
        "DetachRolePolicy",
        "DetachUserPolicy",
        "GetPolicy",
        "GetPolicyVersion",
        "GetRole",
        "GetRolePolicy",
        "GetUser",
        "GetUserPolicy",
        "ListAccessKeys",
        "ListAttachedRolePolicies",
        "ListAttachedUserPolicies",
        "ListEntitiesForPolicy",
        "ListGroupsForUser",
        "ListInstanceProfilesForRole",
        "ListPolicies",
        "ListPolicyTags",
        "ListPolicyVersions",
        "ListRolePolicies",
        "ListRoleTags",
        "ListRoles",
        "ListUserPolicies",
        "ListUserTags",
        "ListUsers",
        "PutRolePolicy",
        "PutUserPolicy",
        "SetDefaultPolicyVersion",
        "TagPolicy",
        "TagRole",
        "TagUser",
        "UntagPolicy",
        "UntagRole",
        "UntagUser",
        "UpdateAccessKey",
        "UpdateAssumeRolePolicy",
        "UpdateRole",
        "UpdateRoleDescription",
    ),
    "sts": ("GetCallerIdentity",),
    "secretsmanager": ("GetRandomPassword",),
    "s3": (
        "AbortMultipartUpload",
        "CompleteMultipartUpload",
        "CopyObject",
        "CreateBucket",
        "CreateMultipartUpload",
        "DeleteBucket",
        "DeleteBucketEncryption",
        "DeleteBucketTagging",
        "DeleteObject",
        "DeleteObjectTagging",
        "DeleteObjects",
        "GetBucketEncryption",
        "GetBucketLocation",
        "GetBucketTagging",
        "GetBucketVersioning",
        "GetObject",
        "GetObjectAttributes",
        "GetObjectTagging",
        "HeadBucket",
        "HeadObject",
        "ListBuckets",
        "ListMultipartUploads",
        "ListObjectVersions",
        "ListObjects",
        "ListObjectsV2",
        "ListParts",
        "PutBucketEncryption",
        "PutBucketTagging",
        "PutBucketVersioning",
        "PutObject",
        "PutObjectTagging",
        "UploadPart",
        "UploadPartCopy",
    ),
    "application-autoscaling": (
        "DeleteScalingPolicy",
        "DeleteScheduledAction",
        "DeregisterScalableTarget",
        "DescribeScalableTargets",
        "DescribeScalingActivities",
        "DescribeScalingPolicies",
        "DescribeScheduledActions",
        "ListTagsForResource",
        "PutScalingPolicy",
        "PutScheduledAction",
        "RegisterScalableTarget",
        "TagResource",
        "UntagResource",
    ),
    "moorage": (
        "CreateBearerKey",
        "CreateMetricsKey",
        "DeleteBearerKey",
        "DeleteMetricsKey",
        "DescribeCapacity",
        "ListBearerKeys",
        "ListCosts",
        "ListMetricsKeys",
        "ListLoadedModels",
        "ListTraffic",
    ),
    "cloudwatch": (
        "DeleteAlarms",
        "DeleteDashboards",
        "DescribeAlarmHistory",
        "DescribeAlarms",
        "DescribeAlarmsForMetric",
        "DisableAlarmActions",
        "EnableAlarmActions",
        "GetDashboard",
        "GetMetricData",
        "GetMetricStatistics",
        "ListDashboards",
        "ListMetrics",
        "ListTagsForResource",
        "PutCompositeAlarm",
        "PutDashboard",
        "PutMetricAlarm",
        "PutMetricData",
        "SetAlarmState",
        "TagResource",
        "UntagResource",
    ),
    "sns": (
        "ConfirmSubscription",
        "CreateTopic",
        "DeleteTopic",
        "GetSubscriptionAttributes",
        "GetTopicAttributes",
        "ListSubscriptions",
        "ListSubscriptionsByTopic",
        "ListTagsForResource",
        "ListTopics",
        "Publish",
        "PublishBatch",
        "SetSubscriptionAttributes",
        "SetTopicAttributes",
        "Subscribe",
        "TagResource",
        "Unsubscribe",
        "UntagResource",
    ),
    "logs": (
        "CreateLogGroup",
        "CreateLogStream",
        "DeleteLogGroup",
        "DeleteLogStream",
        "DeleteMetricFilter",
        "DeleteRetentionPolicy",
        "DescribeLogGroups",
        "DescribeLogStreams",
        "DescribeMetricFilters",
        "FilterLogEvents",
        "GetLogEvents",
        "ListTagsForResource",
        "ListTagsLogGroup",
        "PutLogEvents",
        "PutMetricFilter",
        "PutRetentionPolicy",
        "StartLiveTail",
        "TagLogGroup",
        "TagResource",
        "TestMetricFilter",
        "UntagLogGroup",
        "UntagResource",
    ),
}

_SCALARS: Final[Mapping[str, str]] = {
    "blob": "bytes",
    "boolean": "bool",
    "character": "str",
    "double": "float",
    "float": "float",
    "integer": "int",
    "long": "int",
    "string": "str",
    "timestamp": "datetime",
}


class Module:
    """One service's module: collects the shapes reached from its operations, then prints them."""

    def __init__(self, service: ServiceModel, operations: tuple[str, ...]) -> None:
        self._service = service
        self._classes: dict[str, str] = {}
        self._enums: dict[str, str] = {}
        for name in operations:
            self._add_operation(service.operation_model(name))

    def text(self) -> str:
        """The module's source."""
        title = f"Requests and answers of {self._service.service_name}."
        body = "\n\n\n".join(self._classes[name] for name in sorted(self._classes))
        enums = "".join(f"{self._enums[name]}\n" for name in sorted(self._enums))
        imports = "\n".join(self._imports(body, has_enums=bool(enums)))
        return "\n".join(
            [
                f'"""{title} Written by tools/generate_types.py: do not edit."""\n',
                "from __future__ import annotations\n",
                imports,
                f"\n{enums}\n" if enums else "\n",
                f"{body}\n",
            ]
        )

    def _imports(self, body: str, *, has_enums: bool) -> Iterator[str]:
        if "AsyncIterator[" in body:
            yield "from collections.abc import AsyncIterator"
        if "datetime" in body:
            yield "from datetime import datetime"
        wanted = [name for name in ("Any", "Literal", "NotRequired", "TypedDict") if _mentions(name, body, has_enums)]
        yield f"from typing import {', '.join(wanted)}"

    def _add_operation(self, operation: OperationModel) -> None:
        if operation.input_shape is not None:
            self._add_structure(operation.input_shape, stream="AsyncIterator[bytes]")
        if operation.output_shape is not None:
            self._add_structure(operation.output_shape, stream="bytes | AsyncIterator[bytes]")

    def _add_structure(self, shape: Any, *, stream: str) -> None:
        if shape.name in self._classes:
            return
        self._classes[shape.name] = ""
        lines = [f"class {shape.name}(TypedDict):"]
        for name, member in shape.members.items():
            kind = stream if member.serialization.get("streaming") else self._type_of(member)
            lines.append(f"    {name}: {kind if name in shape.required_members else f'NotRequired[{kind}]'}")
        self._classes[shape.name] = "\n".join(lines if len(lines) > 1 else [*lines, "    pass"])

    def _type_of(self, shape: Any) -> str:
        match shape.type_name:
            case "list":
                return f"list[{self._type_of(shape.member)}]"
            case "map":
                return f"dict[str, {self._type_of(shape.value)}]"
            case "structure" if shape.is_document_type:
                return "Any"
            case "structure":
                self._add_structure(shape, stream="bytes")
                is_stream = shape.serialization.get("eventstream")
                return f"AsyncIterator[{shape.name}]" if is_stream else str(shape.name)
            case "string" if 0 < len(shape.enum) <= ENUM_VALUES_MAX:
                return self._enum(shape)
            case scalar:
                return _SCALARS[scalar]

    def _enum(self, shape: Any) -> str:
        name = str(shape.name)
        values = [f'"{value}"' for value in shape.enum]
        line = f"{name} = Literal[{', '.join(values)}]"
        if len(line) > LINE_LENGTH:
            line = "\n".join([f"{name} = Literal[", *(f"    {value}," for value in values), "]"])
        self._enums[name] = line
        return name


def _mentions(name: str, body: str, has_enums: bool) -> bool:
    match name:
        case "Any":
            return ": Any" in body or "[Any" in body
        case "Literal":
            return has_enums
        case "NotRequired":
            return "NotRequired[" in body
        case _:
            return True


def generate() -> dict[str, str]:
    """File name to source, for every service in `OPERATIONS`."""
    modules = {name: Module(service(name), operations) for name, operations in OPERATIONS.items()}
    return {f"{name.replace('-', '_')}.py": module.text() for name, module in modules.items()}


def main() -> None:
    for name, text in generate().items():
        (TARGET / name).write_text(text, encoding="utf-8")
        sys.stdout.write(f"{name}\n")


if __name__ == "__main__":
    main()

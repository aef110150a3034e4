"""AWS's own managed policies, as far as Moorage has what they speak of.

Each allows what AWS's of that name allows on the services that are here; what it says of others is left out. A policy
that is not here cannot be attached to a user, rather than be attached and allow nothing.
Source: AWS managed policy reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_PREFIX: Final = "arn:aws:iam::aws:policy/"


def _policy(*statements: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*", **each} for each in statements]}


_PASS_TO_SAGEMAKER: Final = {
    "Action": "iam:PassRole",
    "Resource": "arn:aws:iam::*:role/*",
    "Condition": {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
}

_BY_NAME: Final[Mapping[str, Mapping[str, Any]]] = {
    "AdministratorAccess": _policy({"Action": "*"}),
    "PowerUserAccess": _policy(
        {"NotAction": ["account:*", "iam:*", "organizations:*"]},
        {"Action": "iam:ListRoles"},
    ),
    "AmazonSageMakerFullAccess": _policy(
        {"Action": "sagemaker:*"},
        {
            "Action": [
                "application-autoscaling:*",
                "cloudwatch:*",
                "ecr:*",
                "iam:GetRole",
                "iam:ListRoles",
                "logs:Describe*",
                "logs:FilterLogEvents",
                "logs:GetLogEvents",
                "s3:CreateBucket",
                "s3:GetBucketCORS",
                "s3:GetBucketLocation",
                "s3:ListAllMyBuckets",
                "s3:ListBucket",
            ]
        },
        {
            "Action": ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject"],
            "Resource": ["arn:aws:s3:::*SageMaker*", "arn:aws:s3:::*Sagemaker*", "arn:aws:s3:::*sagemaker*"],
        },
        _PASS_TO_SAGEMAKER,
    ),
    "AmazonSageMakerReadOnly": _policy(
        {
            "Action": [
                "application-autoscaling:Describe*",
                "cloudwatch:Describe*",
                "cloudwatch:Get*",
                "cloudwatch:List*",
                "ecr:Describe*",
                "logs:Describe*",
                "logs:FilterLogEvents",
                "logs:GetLogEvents",
                "sagemaker:Describe*",
                "sagemaker:Get*",
                "sagemaker:List*",
            ]
        }
    ),
    "AmazonS3FullAccess": _policy({"Action": "s3:*"}),
    "AmazonS3ReadOnlyAccess": _policy({"Action": ["s3:Describe*", "s3:Get*", "s3:List*"]}),
    "AmazonSNSFullAccess": _policy({"Action": "sns:*"}),
    "AmazonSNSReadOnlyAccess": _policy({"Action": ["sns:GetTopicAttributes", "sns:List*"]}),
    "CloudWatchFullAccess": _policy({"Action": ["cloudwatch:*", "logs:*", "sns:*"]}),
    "CloudWatchReadOnlyAccess": _policy(
        {
            "Action": [
                "application-autoscaling:DescribeScalingPolicies",
                "cloudwatch:Describe*",
                "cloudwatch:Get*",
                "cloudwatch:List*",
                "logs:Describe*",
                "logs:FilterLogEvents",
                "logs:Get*",
                "logs:List*",
                "logs:StartLiveTail",
                "logs:StopLiveTail",
                "logs:TestMetricFilter",
                "sns:Get*",
                "sns:List*",
            ]
        }
    ),
    "CloudWatchLogsFullAccess": _policy({"Action": "logs:*"}),
    "CloudWatchLogsReadOnlyAccess": _policy(
        {"Action": ["logs:Describe*", "logs:FilterLogEvents", "logs:Get*", "logs:List*"]}
    ),
    "IAMFullAccess": _policy({"Action": "iam:*"}),
    "IAMReadOnlyAccess": _policy({"Action": ["iam:Get*", "iam:List*"]}),
    "SecretsManagerReadWrite": _policy({"Action": "secretsmanager:*"}),
}


NAMES: Final = tuple(_BY_NAME)


def document(arn: str) -> Mapping[str, Any] | None:
    """The document of the policy of that ARN; None if it is not one of these."""
    return _BY_NAME.get(arn.removeprefix(_PREFIX)) if arn.startswith(_PREFIX) else None

"""What is known of a principal, and what its policies come to before and at a request."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from moorage.core.iam import aws_managed
from moorage.core.iam.evaluation import Decision
from moorage.core.iam.policy import parse
from moorage.core.iam.principal import Principal, Requirement, request_context, root, user

ACCOUNT = "123456789012"
ANN = f"arn:aws:iam::{ACCOUNT}:user/team/ann"
REQUEST = request_context(region="eu-west-1", user_agent="curl", now=datetime(2026, 1, 1, tzinfo=UTC))
GET = Requirement("s3:GetObject", "arn:aws:s3:::b/k")


def ann(*statements: dict[str, object], tags: dict[str, str] | None = None) -> Principal:
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    return user(ANN, "AIDA", account_id=ACCOUNT, name="ann", tags=tags or {}, statements=parse(document))


def allow(**more: object) -> dict[str, object]:
    return {"Effect": "Allow", "Action": "*", "Resource": "*", **more}


def when(operator: str, key: str, *values: str) -> dict[str, object]:
    return {"Condition": {operator: {key: list(values)}}}


def may(principal: Principal, requirement: Requirement = GET) -> bool:
    return principal.first_refused([requirement], REQUEST) is None


def test_root_may_do_everything() -> None:
    assert may(root(ACCOUNT))
    assert Decision.ALLOWED is root(ACCOUNT).grant("sagemaker:InvokeEndpoint").decide("arn:aws:sagemaker:x")


@pytest.mark.parametrize(
    "condition",
    [
        when("StringEquals", "aws:username", "ann"),
        when("StringEquals", "aws:userid", "AIDA"),
        when("ArnLike", "aws:PrincipalArn", f"arn:aws:iam::{ACCOUNT}:user/team/*"),
        when("StringEquals", "aws:PrincipalAccount", ACCOUNT),
        when("StringEquals", "aws:PrincipalType", "User"),
        when("StringEquals", "aws:PrincipalTag/Team", "red"),
        when("StringEquals", "aws:RequestedRegion", "eu-west-1"),
        when("StringLike", "aws:UserAgent", "curl*"),
        when("DateLessThan", "aws:CurrentTime", "2026-01-02T00:00:00Z"),
        when("NumericLessThan", "aws:EpochTime", "1767225601"),
        when("Bool", "aws:ViaAWSService", "false"),
        when("Null", "aws:MultiFactorAuthAge", "true"),
        when("BoolIfExists", "aws:MultiFactorAuthPresent", "true"),
    ],
    ids=str,
)
def test_what_is_known_can_be_asked_for(condition) -> None:
    assert may(ann(allow(**condition), tags={"team": "red"}))


@pytest.mark.parametrize(
    "condition",
    [
        when("Bool", "aws:MultiFactorAuthPresent", "true"),
        when("IpAddress", "aws:SourceIp", "0.0.0.0/0"),
        when("StringNotEquals", "aws:ResourceTag/env", "prod"),
        when("Bool", "aws:SecureTransport", "false"),
        when("StringEquals", "aws:username", "bob"),
    ],
    ids=str,
)
def test_what_is_not_so_or_not_known_allows_nothing(condition) -> None:
    assert not may(ann(allow(**condition)))


def test_whoever_has_no_second_factor_is_denied_what_asks_for_one() -> None:
    """A policy of AWS's documentation, which users paste."""
    without = {"Effect": "Deny", "NotAction": "iam:*", "Resource": "*"}
    condition = when("BoolIfExists", "aws:MultiFactorAuthPresent", "false")
    assert may(ann(allow(), {**without, **when("Bool", "aws:MultiFactorAuthPresent", "false")}))
    assert not may(ann(allow(), {**without, **condition}))


def test_before_a_request_only_its_sender_is_known() -> None:
    own = "arn:aws:sagemaker:*:*:endpoint/${aws:username}-*"
    arn = f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:endpoint/ann-1"
    assert Decision.ALLOWED is ann(allow(Resource=own)).grant("sagemaker:InvokeEndpoint").decide(arn)
    here = when("StringEquals", "aws:RequestedRegion", "eu-west-1")
    assert Decision.NOT_ALLOWED is ann(allow(**here)).grant("sagemaker:InvokeEndpoint").decide(arn)


def test_the_first_that_is_refused_is_named() -> None:
    principal = ann(allow(Resource="arn:aws:s3:::b/k"))
    missing = Requirement("s3:GetObject", "arn:aws:s3:::b/l")
    refused = principal.first_refused([GET, missing, Requirement("s3:PutObject")], REQUEST)
    assert (missing, Decision.NOT_ALLOWED) == refused


def test_requirements_of_one_action_are_told_apart_by_their_context() -> None:
    narrow = ann(allow(**when("StringEquals", "s3:prefix", "ann/")))
    own = Requirement("s3:ListBucket", "arn:aws:s3:::b", {"s3:prefix": ("ann/",)})
    others = Requirement("s3:ListBucket", "arn:aws:s3:::b", {"s3:prefix": ("bob/",)})
    refused = narrow.first_refused([own, others], REQUEST)
    assert refused is not None
    assert others is refused.requirement


@pytest.mark.parametrize("name", aws_managed.NAMES)
def test_aws_policies_can_be_read_and_allow_something(name: str) -> None:
    document = aws_managed.document(f"arn:aws:iam::aws:policy/{name}")
    assert document is not None
    assert any(statement.effect.value == "Allow" for statement in parse(document))


def test_other_policies_are_not_aws() -> None:
    assert aws_managed.document("arn:aws:iam::aws:policy/Unheard-of") is None
    assert aws_managed.document(f"arn:aws:iam::{ACCOUNT}:policy/AdministratorAccess") is None

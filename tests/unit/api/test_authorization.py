"""What users' policies allow them to call, service by service; and what those are told who may not."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from moorage.api.s3.permissions import requirements as of_s3
from moorage.api.sagemaker.permissions import requirements as of_sagemaker
from moorage.api.service import Caller
from moorage.api.sts.service import Sts
from moorage.aws.errors import ServiceError
from moorage.testing.account_world import AccountWorld
from moorage.testing.asgi_client import ACCOUNT_ID
from moorage.testing.logs_world import LogsWorld
from moorage.testing.sagemaker_world import DATA, IMAGE, ROLE, SageMakerWorld

ANN = f"arn:aws:iam::{ACCOUNT_ID}:user/ann"
ADMINS = f"arn:aws:iam::{ACCOUNT_ID}:user/admins/"


def allow(action, resource="*", **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action, resource="*", **more):
    return {**allow(action, resource, **more), "Effect": "Deny"}


def sagemaker_arn(kind: str, name: str, region: str = "us-east-1") -> str:
    return f"arn:aws:sagemaker:{region}:{ACCOUNT_ID}:{kind}/{name}"


@pytest.fixture
def account() -> Iterator[AccountWorld]:
    world = SageMakerWorld()
    asyncio.run(world.add_role())
    with AccountWorld(world.service, Sts(), store=world.store) as account:
        yield account


def refusal(call, **params) -> tuple[int, str, str]:
    with pytest.raises(ClientError) as caught:
        call(**params)
    response = caught.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"], response["Error"]["Message"]


def said(action: str, resource: str, *, by: str = ANN) -> str:
    return (
        f"User: {by} is not authorized to perform: {action} on resource: {resource} because no identity-based policy "
        f"allows the {action} action"
    )


def make_model(client, name: str = "iris", **more) -> None:
    container = {"Image": IMAGE, "ModelDataUrl": DATA}
    client.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer=container, **more)


def test_a_user_without_policies_may_ask_who_it_is_and_nothing_else(account: AccountWorld) -> None:
    key = account.add_user("ann")
    answer = account.client("sts", key).get_caller_identity()
    assert (ACCOUNT_ID, ANN, "AIDA") == (answer["Account"], answer["Arn"], answer["UserId"][:4])
    listing = refusal(account.client("sagemaker", key).list_models)
    assert (400, "AccessDeniedException", said("sagemaker:ListModels", "*")) == listing
    assert (403, "AccessDenied") == refusal(account.client("iam", key).list_users)[:2]
    assert (501, "NotImplemented") == refusal(account.client("sts", key).get_session_token)[:2]


def test_a_refusal_is_the_same_whether_the_resource_exists(account: AccountWorld) -> None:
    make_model(account.client("sagemaker"))
    account.client("iam").create_user(UserName="boss", Path="/admins/")
    sagemaker, iam = (account.client(service, account.add_user(f"ann{service}")) for service in ("sagemaker", "iam"))
    for name in ("iris", "missing"):
        expected = said("sagemaker:DescribeModel", sagemaker_arn("model", name), by=f"{ANN}sagemaker")
        assert (400, "AccessDeniedException", expected) == refusal(sagemaker.describe_model, ModelName=name)
    for name in ("boss", "missing"):
        expected = said("iam:GetUser", f"user {name}", by=f"{ANN}iam")
        assert (403, "AccessDenied", expected) == refusal(iam.get_user, UserName=name)


def test_a_user_is_held_to_the_resources_named(account: AccountWorld) -> None:
    own = allow("sagemaker:*", sagemaker_arn("model", "ann-*"))
    ann = account.client("sagemaker", account.add_user("ann", own, allow("iam:PassRole", ROLE)))
    make_model(ann, "Ann-1")
    assert "Ann-1" == ann.describe_model(ModelName="ANN-1")["ModelName"]
    assert "AccessDeniedException" == refusal(ann.describe_model, ModelName="bob-1")[1]
    assert said("sagemaker:ListModels", "*") == refusal(ann.list_models)[2]


def test_what_differs_in_case_only_does_not_get_around_a_denial(account: AccountWorld) -> None:
    make_model(account.client("sagemaker"))
    account.client("iam").create_user(UserName="boss", Path="/admins/")
    key = account.add_user(
        "ann", allow("*"), deny("sagemaker:DeleteModel", sagemaker_arn("model", "iris")), deny("iam:*", f"{ADMINS}*")
    )
    sagemaker, iam = account.client("sagemaker", key), account.client("iam", key)
    for name in ("iris", "IRIS"):
        assert refusal(sagemaker.delete_model, ModelName=name)[2].endswith(
            "with an explicit deny in an identity-based policy"
        )
    for name in ("boss", "BOSS"):
        assert "AccessDenied" == refusal(iam.delete_user, UserName=name)[1]
    assert iam.get_user(UserName="ann")


def test_creating_a_model_passes_its_role(account: AccountWorld) -> None:
    creating = allow("sagemaker:CreateModel")
    without = account.client("sagemaker", account.add_user("ann", creating))
    with pytest.raises(ClientError) as caught:
        make_model(without)
    assert said("iam:PassRole", ROLE) == caught.value.response["Error"]["Message"]

    to_sagemaker = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    passing = allow("iam:PassRole", "arn:aws:iam::*:role/*", Condition=to_sagemaker)
    make_model(account.client("sagemaker", account.add_user("bob", creating, passing)))


def test_tagging_what_is_created_is_allowed_apart(account: AccountWorld) -> None:
    ann = account.client("sagemaker", account.add_user("ann", allow(["sagemaker:CreateModel", "iam:PassRole"])))
    with pytest.raises(ClientError) as caught:
        make_model(ann, Tags=[{"Key": "k", "Value": "v"}])
    assert said("sagemaker:AddTags", sagemaker_arn("model", "iris")) == caught.value.response["Error"]["Message"]
    make_model(ann)


def test_regions_can_be_kept_apart(account: AccountWorld) -> None:
    here = {"StringEquals": {"aws:RequestedRegion": "us-east-1"}}
    key = account.add_user("ann", allow("sagemaker:ListModels", Condition=here))
    assert [] == account.client("sagemaker", key).list_models()["Models"]
    elsewhere = account.client("sagemaker", key, region="eu-west-1")
    assert "AccessDeniedException" == refusal(elsewhere.list_models)[1]


def test_a_time_can_be_set(account: AccountWorld) -> None:
    until = {"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}
    ann = account.client("sagemaker", account.add_user("ann", allow("*", Condition=until)))
    assert "AccessDeniedException" == refusal(ann.list_models)[1]
    since = {"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}
    assert account.client("sagemaker", account.add_user("bob", allow("*", Condition=since))).list_models()


def test_full_access_to_sagemaker_is_what_aws_calls_that(account: AccountWorld) -> None:
    key = account.add_user("ann")
    arn = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"
    account.client("iam").attach_user_policy(UserName="ann", PolicyArn=arn)
    make_model(account.client("sagemaker", key))
    assert "AccessDenied" == refusal(account.client("iam", key).create_user, UserName="bob")[1]


def test_attaching_can_be_held_to_some_policies(account: AccountWorld) -> None:
    allowed = {"ArnEquals": {"iam:PolicyARN": "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"}}
    iam = account.client("iam", account.add_user("ann", allow("iam:AttachUserPolicy", Condition=allowed)))
    iam.attach_user_policy(UserName="ann", PolicyArn="arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")
    more = "arn:aws:iam::aws:policy/AdministratorAccess"
    assert "AccessDenied" == refusal(iam.attach_user_policy, UserName="ann", PolicyArn=more)[1]


def test_iam_names_what_it_is_about(account: AccountWorld) -> None:
    iam = account.client("iam", account.add_user("ann", allow("sts:*")))
    own = f"arn:aws:iam::{ACCOUNT_ID}:"
    document = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}'
    for call, params, action, resource in (
        (iam.list_users, {"PathPrefix": "/x/"}, "ListUsers", f"{own}user/x/"),
        (iam.list_roles, {}, "ListRoles", f"{own}role/"),
        (iam.list_policies, {}, "ListPolicies", "*"),
        (iam.create_user, {"UserName": "bob", "Path": "/p/"}, "CreateUser", f"{own}user/p/bob"),
        (iam.create_policy, {"PolicyName": "p", "PolicyDocument": document}, "CreatePolicy", f"{own}policy/p"),
        (iam.get_policy, {"PolicyArn": f"{own}policy/p"}, "GetPolicy", f"{own}policy/p"),
        (iam.get_role, {"RoleName": "sagemaker"}, "GetRole", "role sagemaker"),
        (iam.create_access_key, {}, "CreateAccessKey", ANN),
        (
            iam.put_user_policy,
            {"UserName": "u", "PolicyName": "p", "PolicyDocument": document},
            "PutUserPolicy",
            "user u",
        ),
    ):
        assert (403, "AccessDenied", said(f"iam:{action}", resource)) == refusal(call, **params)


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({}, ":log-stream:"),
        ({"logGroupName": "/g", "logStreamName": "s"}, "/g:log-stream:s"),
        ({"logGroupIdentifier": "/g"}, "/g:log-stream:"),
        ({"logGroupIdentifier": f"arn:aws:logs:us-east-1:{ACCOUNT_ID}:log-group:/g:*"}, "/g:log-stream:"),
    ],
)
async def test_logs_requirements(tmp_path, request_, expected: str) -> None:
    caller = Caller(ACCOUNT_ID, ANN, "AIDA", "AKIA", "us-east-1", "request")
    service = LogsWorld(tmp_path).service
    (required,) = await service.requirements("GetLogEvents", caller, request_)
    assert ("logs:GetLogEvents", f"arn:aws:logs:us-east-1:{ACCOUNT_ID}:log-group:{expected}") == (
        required.action,
        required.resource,
    )


@pytest.mark.parametrize(
    ("operation", "request_", "expected"),
    [
        ("ListEndpoints", {}, [("sagemaker:ListEndpoints", "*")]),
        (
            "CreateEndpoint",
            {"EndpointName": "E", "EndpointConfigName": "c"},
            [
                ("sagemaker:CreateEndpoint", sagemaker_arn("endpoint", "e")),
                ("sagemaker:CreateEndpoint", sagemaker_arn("endpoint-config", "c")),
            ],
        ),
        (
            "AddTags",
            {"ResourceArn": sagemaker_arn("model", "M"), "Tags": [{"Key": "k", "Value": ""}]},
            [("sagemaker:AddTags", sagemaker_arn("model", "m"))] * 2,
        ),
    ],
)
def test_sagemakers_requirements(operation: str, request_, expected) -> None:
    found = of_sagemaker(operation, request_, region="us-east-1", account_id=ACCOUNT_ID)
    assert expected == [(each.action, each.resource) for each in found]


@pytest.mark.parametrize(
    ("operation", "request_", "expected"),
    [
        ("ListBuckets", {}, ["s3:ListAllMyBuckets *"]),
        ("HeadBucket", {"Bucket": "b"}, ["s3:ListBucket arn:aws:s3:::b"]),
        ("GetBucketTagging", {"Bucket": "b"}, ["s3:GetBucketTagging arn:aws:s3:::b"]),
        ("HeadObject", {"Bucket": "b", "Key": "k/l"}, ["s3:GetObject arn:aws:s3:::b/k/l"]),
        ("GetObject", {"Bucket": "b", "Key": "k", "VersionId": "v"}, ["s3:GetObjectVersion arn:aws:s3:::b/k"]),
        ("UploadPart", {"Bucket": "b", "Key": "k"}, ["s3:PutObject arn:aws:s3:::b/k"]),
        (
            "PutObject",
            {"Bucket": "b", "Key": "k", "Tagging": "a=b"},
            ["s3:PutObject arn:aws:s3:::b/k", "s3:PutObjectTagging arn:aws:s3:::b/k"],
        ),
        (
            "CopyObject",
            {"Bucket": "b", "Key": "k", "CopySource": "/c/a%20b"},
            ["s3:PutObject arn:aws:s3:::b/k", "s3:GetObject arn:aws:s3:::c/a b"],
        ),
        (
            "DeleteObjects",
            {"Bucket": "b", "Delete": {"Objects": [{"Key": "k"}, {"Key": "l", "VersionId": "v"}]}},
            ["s3:DeleteObject arn:aws:s3:::b/k", "s3:DeleteObjectVersion arn:aws:s3:::b/l"],
        ),
        (
            "GetObjectAttributes",
            {"Bucket": "b", "Key": "k"},
            ["s3:GetObjectAttributes arn:aws:s3:::b/k", "s3:GetObject arn:aws:s3:::b/k"],
        ),
    ],
)
def test_s3s_requirements(operation: str, request_, expected: list[str]) -> None:
    assert expected == [f"{each.action} {each.resource}" for each in of_s3(operation, request_)]


def test_a_listing_is_known_by_its_prefix() -> None:
    (required,) = of_s3("ListObjectsV2", {"Bucket": "b", "Prefix": "ann/"})
    assert {"s3:prefix": ("ann/",), "s3:delimiter": (), "s3:max-keys": ()} == required.context


def test_a_copy_of_nothing_is_refused_before_anything_else() -> None:
    with pytest.raises(ServiceError, match="InvalidArgument"):
        of_s3("CopyObject", {"Bucket": "b", "Key": "k", "CopySource": "nonsense"})

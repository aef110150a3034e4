"""Users, their keys and their policies as boto3 sees them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from moorage.testing.account_world import AccountWorld
from moorage.testing.asgi_client import ACCOUNT_ID, KEY_ID

ALLOW_LISTING = {"Effect": "Allow", "Action": "iam:List*", "Resource": "*"}
POLICY = json.dumps({"Version": "2012-10-17", "Statement": ALLOW_LISTING})
READ_ONLY = "arn:aws:iam::aws:policy/IAMReadOnlyAccess"


@pytest.fixture
def account() -> Iterator[AccountWorld]:
    with AccountWorld() as account:
        yield account


@pytest.fixture
def iam(account: AccountWorld):
    return account.client("iam")


def refused(call, **params) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**params)
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


def arn_of(name: str, path: str = "/") -> str:
    return f"arn:aws:iam::{ACCOUNT_ID}:user{path}{name}"


def test_a_user_comes_back_as_it_was_made(iam) -> None:
    tags = [{"Key": "team", "Value": "red"}]
    made = iam.create_user(UserName="ann", Path="/team/", Tags=tags)["User"]
    assert (arn_of("ann", "/team/"), "AIDA", 21) == (made["Arn"], made["UserId"][:4], len(made["UserId"]))
    assert made == iam.get_user(UserName="ANN")["User"]
    assert tags == made["Tags"] == iam.list_user_tags(UserName="ann")["Tags"]
    taken = refused(iam.create_user, UserName="Ann")
    assert ("EntityAlreadyExists", "User with name Ann already exists.") == taken


def test_users_that_are_not_there_are_said_not_to_be(iam) -> None:
    missing = ("NoSuchEntity", "The user with name nobody cannot be found.")
    for call, more in (
        (iam.get_user, {}),
        (iam.delete_user, {}),
        (iam.create_access_key, {}),
        (iam.list_access_keys, {}),
        (iam.list_user_policies, {}),
        (iam.list_groups_for_user, {}),
        (iam.attach_user_policy, {"PolicyArn": READ_ONLY}),
        (iam.put_user_policy, {"PolicyName": "p", "PolicyDocument": POLICY}),
        (iam.tag_user, {"Tags": [{"Key": "k", "Value": ""}]}),
    ):
        assert missing == refused(call, UserName="nobody", **more)


def test_a_boundary_that_would_not_be_kept_is_refused(iam) -> None:
    assert "ValidationError" == refused(iam.create_user, UserName="ann", PermissionsBoundary=READ_ONLY)[0]
    assert [] == iam.list_users()["Users"]


def test_users_are_listed_by_name_and_path(iam) -> None:
    for name, path in (("b", "/x/"), ("A", "/"), ("c", "/x/y/")):
        iam.create_user(UserName=name, Path=path)
    assert ["A", "b", "c"] == [user["UserName"] for user in iam.list_users()["Users"]]
    assert ["b", "c"] == [user["UserName"] for user in iam.list_users(PathPrefix="/x/")["Users"]]
    pages = iam.get_paginator("list_users").paginate(PaginationConfig={"PageSize": 1})
    assert 3 == sum(len(page["Users"]) for page in pages)


def test_a_secret_is_told_once(account: AccountWorld, iam) -> None:
    key = account.add_user("ann", ALLOW_LISTING)
    assert ("AKIA", 20, 40) == (key["AccessKeyId"][:4], len(key["AccessKeyId"]), len(key["SecretAccessKey"]))
    listed = iam.list_access_keys(UserName="ann")["AccessKeyMetadata"]
    assert [{"UserName", "AccessKeyId", "Status", "CreateDate"}] == [set(each) for each in listed]
    stored = asyncio.run(account.store.run(lambda tx: tx.users.get("", "ann")))
    assert key["SecretAccessKey"] not in repr(stored)


def test_a_user_has_two_keys_at_most(account: AccountWorld, iam) -> None:
    account.add_user("ann")
    iam.create_access_key(UserName="ann")
    quota = ("LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2")
    assert quota == refused(iam.create_access_key, UserName="ann")


def test_a_key_is_in_force_exactly_while_it_is_active(account: AccountWorld, iam) -> None:
    key = account.add_user("ann", ALLOW_LISTING)
    named = {"UserName": "ann", "AccessKeyId": key["AccessKeyId"]}
    own = account.client("iam", key)
    assert "ann" == own.list_users()["Users"][0]["UserName"]

    iam.update_access_key(**named, Status="Inactive")
    assert "InvalidClientTokenId" == refused(own.list_users)[0]
    assert {KEY_ID} == account.published.keys.keys()
    iam.update_access_key(**named, Status="Active")
    assert own.list_users()
    assert {KEY_ID, key["AccessKeyId"]} == account.published.keys.keys()
    assert "ValidationError" == refused(iam.update_access_key, **named, Status="Expired")[0]

    iam.delete_access_key(**named)
    assert "InvalidClientTokenId" == refused(own.list_users)[0]
    assert {KEY_ID} == account.published.keys.keys()
    missing = ("NoSuchEntity", f"The Access Key with id {key['AccessKeyId']} cannot be found.")
    assert missing == refused(iam.delete_access_key, **named)
    assert missing == refused(iam.update_access_key, **named, Status="Active")


def test_who_is_not_named_is_the_caller(account: AccountWorld, iam) -> None:
    own_keys = {"Effect": "Allow", "Action": "iam:*", "Resource": arn_of("${aws:username}")}
    ann = account.client("iam", account.add_user("ann", own_keys))
    assert "ann" == ann.get_user()["User"]["UserName"]
    second = ann.create_access_key()["AccessKey"]
    assert 2 == len(ann.list_access_keys()["AccessKeyMetadata"])
    ann.delete_access_key(AccessKeyId=second["AccessKeyId"])
    message = "Must specify userName when calling with non-User credentials"
    assert ("ValidationError", message) == refused(iam.get_user)


def test_policies_of_a_user(account: AccountWorld, iam) -> None:
    key = account.add_user("ann")
    ann = account.client("iam", key)
    assert "AccessDenied" == refused(ann.list_users)[0]

    iam.put_user_policy(UserName="ann", PolicyName="own", PolicyDocument=POLICY)
    assert ann.list_users()
    assert ["own"] == iam.list_user_policies(UserName="ann")["PolicyNames"]
    assert json.loads(POLICY) == iam.get_user_policy(UserName="ann", PolicyName="own")["PolicyDocument"]
    iam.delete_user_policy(UserName="ann", PolicyName="own")
    assert "AccessDenied" == refused(ann.list_users)[0]
    missing = ("NoSuchEntity", "The user policy with name own cannot be found.")
    assert missing == refused(iam.get_user_policy, UserName="ann", PolicyName="own")

    iam.attach_user_policy(UserName="ann", PolicyArn=READ_ONLY)
    assert ann.list_users()
    assert "AccessDenied" == refused(ann.create_user, UserName="bob")[0]
    listed = iam.list_attached_user_policies(UserName="ann")["AttachedPolicies"]
    assert [{"PolicyName": "IAMReadOnlyAccess", "PolicyArn": READ_ONLY}] == listed
    entities = iam.list_entities_for_policy(PolicyArn=READ_ONLY)
    assert (["ann"], []) == ([user["UserName"] for user in entities["PolicyUsers"]], entities["PolicyRoles"])
    assert [] == iam.list_entities_for_policy(PolicyArn=READ_ONLY, EntityFilter="Role")["PolicyUsers"]
    iam.detach_user_policy(UserName="ann", PolicyArn=READ_ONLY)
    assert "AccessDenied" == refused(ann.list_users)[0]


def test_the_version_in_force_decides(account: AccountWorld, iam) -> None:
    ann = account.client("iam", account.add_user("ann"))
    arn = iam.create_policy(PolicyName="listing", PolicyDocument=POLICY)["Policy"]["Arn"]
    iam.attach_user_policy(UserName="ann", PolicyArn=arn)
    assert ann.list_users()
    denying = json.dumps({"Version": "2012-10-17", "Statement": {**ALLOW_LISTING, "Effect": "Deny"}})
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=denying)
    assert ann.list_users()
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v2")
    code, message = refused(ann.list_users)
    assert "AccessDenied" == code
    assert message.endswith("with an explicit deny in an identity-based policy")
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=POLICY, SetAsDefault=True)
    assert ann.list_users()
    assert "DeleteConflict" == refused(iam.delete_policy, PolicyArn=arn)[0]


def test_a_policy_of_aws_that_is_not_known_is_not_attached(account: AccountWorld, iam) -> None:
    account.add_user("ann")
    arn = "arn:aws:iam::aws:policy/AmazonEC2FullAccess"
    expected = ("NoSuchEntity", f"Policy {arn} does not exist or is not attachable.")
    assert expected == refused(iam.attach_user_policy, UserName="ann", PolicyArn=arn)


def test_the_document_of_a_policy_of_aws_can_be_read(iam) -> None:
    version = iam.get_policy(PolicyArn=READ_ONLY)["Policy"]["DefaultVersionId"]
    document = iam.get_policy_version(PolicyArn=READ_ONLY, VersionId=version)["PolicyVersion"]["Document"]
    assert ["iam:Get*", "iam:List*"] == document["Statement"][0]["Action"]
    assert "NoSuchEntity" == refused(iam.get_policy_version, PolicyArn=READ_ONLY, VersionId="v2")[0]


def test_tags_decide_at_once(account: AccountWorld, iam) -> None:
    condition = {"StringEquals": {"aws:PrincipalTag/Team": "red"}}
    ann = account.client("iam", account.add_user("ann", {**ALLOW_LISTING, "Condition": condition}))
    assert "AccessDenied" == refused(ann.list_users)[0]
    iam.tag_user(UserName="ann", Tags=[{"Key": "team", "Value": "red"}])
    assert ann.list_users()
    iam.untag_user(UserName="ann", TagKeys=["team"])
    assert "AccessDenied" == refused(ann.list_users)[0]


def test_a_user_with_keys_or_policies_is_not_deleted(account: AccountWorld, iam) -> None:
    key = account.add_user("ann", ALLOW_LISTING)
    iam.attach_user_policy(UserName="ann", PolicyArn=READ_ONLY)
    steps = (
        ("delete access keys", iam.delete_access_key, {"AccessKeyId": key["AccessKeyId"]}),
        ("detach all policies", iam.detach_user_policy, {"PolicyArn": READ_ONLY}),
        ("delete policies", iam.delete_user_policy, {"PolicyName": "own"}),
    )
    for what, remove, params in steps:
        expected = ("DeleteConflict", f"Cannot delete entity, must {what} first.")
        assert expected == refused(iam.delete_user, UserName="ann")
        remove(UserName="ann", **params)
    assert [] == iam.list_groups_for_user(UserName="ann")["Groups"]
    iam.delete_user(UserName="ann")
    assert [] == iam.list_users()["Users"]


def test_inline_policies_of_a_user_have_their_quota(account: AccountWorld, iam) -> None:
    account.add_user("ann")
    big = json.dumps({"Version": "2012-10-17", "Statement": {**ALLOW_LISTING, "Resource": "arn:" + "x" * 2048}})
    code, message = refused(iam.put_user_policy, UserName="ann", PolicyName="p", PolicyDocument=big)
    assert ("LimitExceeded", "Maximum policy size of 2048 bytes exceeded for user ann") == (code, message)


@pytest.mark.parametrize(
    "condition",
    [{"StringResembles": {"k": "v"}}, {"StringEquals": "v"}, {"StringEquals": {"k": [None]}}, {"Null": {"k": {}}}],
)
def test_a_condition_that_nobody_could_evaluate_is_refused_when_written(iam, condition) -> None:
    text = json.dumps({"Version": "2012-10-17", "Statement": {**ALLOW_LISTING, "Condition": condition}})
    refusal = refused(iam.create_policy, PolicyName="p", PolicyDocument=text)
    assert ("MalformedPolicyDocument", "Syntax errors in policy.") == refusal


def test_a_change_that_a_gateway_did_not_confirm_is_not_called_done(account: AccountWorld, iam) -> None:
    key = account.add_user("ann", ALLOW_LISTING)
    account.gateways.unsure = True
    code, message = refused(iam.delete_access_key, UserName="ann", AccessKeyId=key["AccessKeyId"])
    assert "ServiceUnavailable" == code
    assert "not every gateway has confirmed it" in message
    assert "InvalidClientTokenId" == refused(account.client("iam", key).list_users)[0]

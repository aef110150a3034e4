"""Roles and policies as boto3 sees them."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from moorage.testing.account_world import AccountWorld
from moorage.testing.asgi_client import ACCOUNT_ID

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
POLICY = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::models/*"]},
}
FULL_ACCESS = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"
EXECUTION = "arn:aws:iam::aws:policy/service-role/Execution"


@pytest.fixture
def iam():
    with AccountWorld() as account:
        yield account.client("iam")


def create_role(iam, name: str = "hosting", **more):
    return iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST), **more)["Role"]


def create_policy(iam, name: str = "models", **more):
    return iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(POLICY), **more)["Policy"]


def refused(call, **params) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**params)
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


def test_a_role_comes_back_as_it_was_made(iam) -> None:
    made = create_role(iam, Path="/team/", Description="d", Tags=[{"Key": "k", "Value": "v"}], MaxSessionDuration=7200)
    assert f"arn:aws:iam::{ACCOUNT_ID}:role/team/hosting" == made["Arn"]
    assert ("AROA", 21) == (made["RoleId"][:4], len(made["RoleId"]))
    got = iam.get_role(RoleName="hosting")["Role"]
    assert TRUST == got["AssumeRolePolicyDocument"] == made["AssumeRolePolicyDocument"]
    assert ("/team/", "d", 7200, [{"Key": "k", "Value": "v"}], {}) == (
        got["Path"],
        got["Description"],
        got["MaxSessionDuration"],
        got["Tags"],
        got["RoleLastUsed"],
    )
    assert made["RoleId"] == got["RoleId"]


def test_role_names_are_taken_once_and_missing_ones_are_said_to_be(iam) -> None:
    create_role(iam)
    taken = refused(iam.create_role, RoleName="hosting", AssumeRolePolicyDocument=json.dumps(TRUST))
    assert ("EntityAlreadyExists", "Role with name hosting already exists.") == taken
    missing = ("NoSuchEntity", "The role with name nobody cannot be found.")
    for call, more in (
        (iam.get_role, {}),
        (iam.delete_role, {}),
        (iam.update_role, {"Description": "x"}),
        (iam.list_role_tags, {}),
        (iam.list_attached_role_policies, {}),
        (iam.list_instance_profiles_for_role, {}),
        (iam.attach_role_policy, {"PolicyArn": FULL_ACCESS}),
        (iam.put_role_policy, {"PolicyName": "p", "PolicyDocument": json.dumps(POLICY)}),
    ):
        assert missing == refused(call, RoleName="nobody", **more)


def test_a_role_is_changed_in_place(iam) -> None:
    create_role(iam)
    iam.update_role(RoleName="hosting", Description="new", MaxSessionDuration=3601)
    other = {**TRUST, "Statement": [{**TRUST["Statement"][0], "Principal": {"AWS": ACCOUNT_ID}}]}
    iam.update_assume_role_policy(RoleName="hosting", PolicyDocument=json.dumps(other))
    role = iam.get_role(RoleName="hosting")["Role"]
    assert ("new", 3601, other) == (role["Description"], role["MaxSessionDuration"], role["AssumeRolePolicyDocument"])
    assert "again" == iam.update_role_description(RoleName="hosting", Description="again")["Role"]["Description"]


def test_policies_are_attached_detached_and_listed(iam) -> None:
    create_role(iam)
    arn = create_policy(iam)["Arn"]
    for attached in (FULL_ACCESS, EXECUTION, arn, arn):
        iam.attach_role_policy(RoleName="hosting", PolicyArn=attached)
    listed = iam.list_attached_role_policies(RoleName="hosting")["AttachedPolicies"]
    assert ["AmazonSageMakerFullAccess", "Execution", "models"] == [policy["PolicyName"] for policy in listed]
    below = iam.list_attached_role_policies(RoleName="hosting", PathPrefix="/service-role/")["AttachedPolicies"]
    assert [EXECUTION] == [policy["PolicyArn"] for policy in below]
    assert 1 == iam.get_policy(PolicyArn=arn)["Policy"]["AttachmentCount"]
    assert ["hosting"] == [role["RoleName"] for role in iam.list_entities_for_policy(PolicyArn=arn)["PolicyRoles"]]

    iam.detach_role_policy(RoleName="hosting", PolicyArn=arn)
    again = refused(iam.detach_role_policy, RoleName="hosting", PolicyArn=arn)
    assert ("NoSuchEntity", f"Policy {arn} was not found.") == again
    unknown = arn + "x"
    assert ("NoSuchEntity", f"Policy {unknown} does not exist or is not attachable.") == refused(
        iam.attach_role_policy, RoleName="hosting", PolicyArn=unknown
    )


def test_at_most_ten_policies_are_attached(iam) -> None:
    create_role(iam)
    for number in range(10):
        iam.attach_role_policy(RoleName="hosting", PolicyArn=f"{FULL_ACCESS}{number}")
    iam.attach_role_policy(RoleName="hosting", PolicyArn=f"{FULL_ACCESS}0")
    assert ("LimitExceeded", "Cannot exceed quota for PoliciesPerRole: 10") == refused(
        iam.attach_role_policy, RoleName="hosting", PolicyArn=FULL_ACCESS
    )


def test_inline_policies(iam) -> None:
    create_role(iam)
    iam.put_role_policy(RoleName="hosting", PolicyName="own", PolicyDocument=json.dumps(POLICY))
    got = iam.get_role_policy(RoleName="hosting", PolicyName="own")
    assert ("hosting", "own", POLICY) == (got["RoleName"], got["PolicyName"], got["PolicyDocument"])
    assert ["own"] == iam.list_role_policies(RoleName="hosting")["PolicyNames"]
    iam.delete_role_policy(RoleName="hosting", PolicyName="own")
    missing = ("NoSuchEntity", "The role policy with name own cannot be found.")
    assert missing == refused(iam.get_role_policy, RoleName="hosting", PolicyName="own")
    assert missing == refused(iam.delete_role_policy, RoleName="hosting", PolicyName="own")
    huge = {**POLICY, "Statement": {**POLICY["Statement"], "Resource": ["arn:aws:s3:::" + "x" * 11_000]}}
    code, _ = refused(iam.put_role_policy, RoleName="hosting", PolicyName="own", PolicyDocument=json.dumps(huge))
    assert "LimitExceeded" == code


def test_a_role_with_policies_is_not_deleted(iam) -> None:
    create_role(iam)
    iam.attach_role_policy(RoleName="hosting", PolicyArn=FULL_ACCESS)
    iam.put_role_policy(RoleName="hosting", PolicyName="own", PolicyDocument=json.dumps(POLICY))
    conflict = refused(iam.delete_role, RoleName="hosting")
    assert ("DeleteConflict", "Cannot delete entity, must detach all policies first.") == conflict
    iam.detach_role_policy(RoleName="hosting", PolicyArn=FULL_ACCESS)
    conflict = refused(iam.delete_role, RoleName="hosting")
    assert ("DeleteConflict", "Cannot delete entity, must delete policies first.") == conflict
    iam.delete_role_policy(RoleName="hosting", PolicyName="own")
    assert [] == iam.list_instance_profiles_for_role(RoleName="hosting")["InstanceProfiles"]
    iam.delete_role(RoleName="hosting")
    assert [] == iam.list_roles()["Roles"]


def test_a_policy_comes_back_as_it_was_made(iam) -> None:
    made = create_policy(iam, Path="/team/", Description="d", Tags=[{"Key": "k", "Value": "v"}])
    assert f"arn:aws:iam::{ACCOUNT_ID}:policy/team/models" == made["Arn"]
    assert ("ANPA", "v1", 0) == (made["PolicyId"][:4], made["DefaultVersionId"], made["AttachmentCount"])
    got = iam.get_policy(PolicyArn=made["Arn"])["Policy"]
    assert ("d", [{"Key": "k", "Value": "v"}]) == (got["Description"], got["Tags"])
    assert POLICY == iam.get_policy_version(PolicyArn=made["Arn"], VersionId="v1")["PolicyVersion"]["Document"]
    taken = refused(iam.create_policy, PolicyName="models", PolicyDocument=json.dumps(POLICY))
    assert ("EntityAlreadyExists", "A policy called models already exists. Duplicate names are not allowed.") == taken
    elsewhere = made["Arn"].replace("/team/", "/")
    assert ("NoSuchEntity", f"Policy {elsewhere} was not found.") == refused(iam.get_policy, PolicyArn=elsewhere)


def test_versions_of_a_policy(iam) -> None:
    arn = create_policy(iam)["Arn"]
    document = json.dumps(POLICY)
    for number in (2, 3, 4, 5):
        version = iam.create_policy_version(PolicyArn=arn, PolicyDocument=document, SetAsDefault=number == 3)
        assert (f"v{number}", number == 3) == (
            version["PolicyVersion"]["VersionId"],
            version["PolicyVersion"]["IsDefaultVersion"],
        )
    assert "LimitExceeded" == refused(iam.create_policy_version, PolicyArn=arn, PolicyDocument=document)[0]
    assert "v3" == iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    assert ("DeleteConflict", "Cannot delete the default version of a policy.") == refused(
        iam.delete_policy_version, PolicyArn=arn, VersionId="v3"
    )
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v5")
    assert "DeleteConflict" == refused(iam.delete_policy, PolicyArn=arn)[0]
    for number in (1, 2, 3, 4):
        iam.delete_policy_version(PolicyArn=arn, VersionId=f"v{number}")
    assert "NoSuchEntity" == refused(iam.get_policy_version, PolicyArn=arn, VersionId="v1")[0]
    made = iam.create_policy_version(PolicyArn=arn, PolicyDocument=document)["PolicyVersion"]
    assert "v6" == made["VersionId"]
    assert ["v6", "v5"] == [v["VersionId"] for v in iam.list_policy_versions(PolicyArn=arn)["Versions"]]
    iam.delete_policy_version(PolicyArn=arn, VersionId="v6")
    iam.delete_policy(PolicyArn=arn)


def test_an_attached_policy_is_not_deleted(iam) -> None:
    create_role(iam)
    arn = create_policy(iam)["Arn"]
    iam.attach_role_policy(RoleName="hosting", PolicyArn=arn)
    conflict = refused(iam.delete_policy, PolicyArn=arn)
    assert ("DeleteConflict", "Cannot delete a policy attached to entities.") == conflict


def test_policies_are_listed_by_scope(iam) -> None:
    create_role(iam)
    create_policy(iam, "b")
    create_policy(iam, "A", Path="/team/")
    iam.attach_role_policy(RoleName="hosting", PolicyArn=FULL_ACCESS)

    def names(**filters) -> list[str]:
        return [policy["PolicyName"] for policy in iam.list_policies(**filters)["Policies"]]

    assert ["A", "AmazonSageMakerFullAccess", "b"] == names()
    assert ["A", "b"] == names(Scope="Local")
    assert ["AmazonSageMakerFullAccess"] == names(Scope="AWS") == names(OnlyAttached=True)
    assert ["A"] == names(PathPrefix="/team/")
    assert FULL_ACCESS == iam.get_policy(PolicyArn=FULL_ACCESS)["Policy"]["Arn"]


def test_tags_of_roles_and_policies(iam) -> None:
    create_role(iam)
    arn = create_policy(iam)["Arn"]
    tags = [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}]
    iam.tag_role(RoleName="hosting", Tags=tags)
    iam.tag_policy(PolicyArn=arn, Tags=tags)
    assert tags == iam.list_role_tags(RoleName="hosting")["Tags"] == iam.list_policy_tags(PolicyArn=arn)["Tags"]
    iam.untag_role(RoleName="hosting", TagKeys=["a", "never"])
    iam.untag_policy(PolicyArn=arn, TagKeys=["a"])
    assert tags[1:] == iam.list_role_tags(RoleName="hosting")["Tags"] == iam.list_policy_tags(PolicyArn=arn)["Tags"]
    many = [{"Key": str(number), "Value": ""} for number in range(50)]
    assert "LimitExceeded" == refused(iam.tag_role, RoleName="hosting", Tags=many)[0]


def test_lists_go_on_where_they_stopped_whatever_is_deleted_meanwhile(iam) -> None:
    for number in range(7):
        create_role(iam, f"role-{number}")
    first = iam.list_roles(MaxItems=3)
    assert ([f"role-{n}" for n in (0, 1, 2)], True) == (
        [role["RoleName"] for role in first["Roles"]],
        first["IsTruncated"],
    )
    iam.delete_role(RoleName="role-2")
    rest = iam.list_roles(Marker=first["Marker"])
    assert [f"role-{n}" for n in (3, 4, 5, 6)] == [role["RoleName"] for role in rest["Roles"]]
    assert not rest["IsTruncated"]
    pages = iam.get_paginator("list_roles").paginate(PaginationConfig={"PageSize": 2})
    assert 6 == sum(len(page["Roles"]) for page in pages)
    assert ("ValidationError", "Invalid Marker.") == refused(iam.list_roles, Marker="???")


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("{", "This policy contains invalid Json"),
        ("[" * 2000 + "]" * 2000, "This policy contains invalid Json"),
        ("[]", "Syntax errors in policy."),
        ({"Statements": []}, "Syntax errors in policy."),
        ({"Version": "2020-01-01", "Statement": []}, "Policy document must be version 2012-10-17 or greater."),
        ({"Version": "2012-10-17"}, "Missing required field Statement"),
        ({"Statement": [{"Action": "sts:AssumeRole"}]}, "Missing required field Effect"),
        ({"Statement": [{"Effect": "Maybe"}]}, "Invalid effect: Maybe"),
        ({"Statement": [{"Effect": "Allow"}]}, "Missing required field Action"),
        ({"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole"}]}, "Missing required field Principal"),
        (
            {"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"User": "x"}}]},
            "Invalid principal in policy.",
        ),
        (
            {"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": "*", "Resource": "*"}]},
            "Has prohibited field Resource",
        ),
        (
            {"Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Principal": "*"}]},
            "AssumeRole policy may only specify STS AssumeRole actions.",
        ),
    ],
)
def test_malformed_trust_policies_are_refused_when_written(iam, document, message: str) -> None:
    text = document if isinstance(document, str) else json.dumps(document)
    refusal = refused(iam.create_role, RoleName="r", AssumeRolePolicyDocument=text)
    assert ("MalformedPolicyDocument", message) == refusal
    assert [] == iam.list_roles()["Roles"]


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ({"Action": "s3:*", "Resource": "*", "Principal": "*"}, "Policy document should not specify a principal."),
        ({"Action": [], "Resource": "*"}, "Policy statement must contain actions."),
        ({"Action": "s3:*"}, "Policy statement must contain resources."),
        ({"Action": "s3:*", "Resource": "models"}, 'Resource models must be in ARN format or "*".'),
        (
            {"Action": "GetObject", "Resource": "*"},
            "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
        ),
        ({"Action": "s3:*", "NotAction": "s3:*"}, "Statement must not contain both Action and NotAction."),
        ({"Action": "s3:*", "Resource": "*", "Condition": []}, "Syntax errors in policy."),
    ],
)
def test_malformed_policies_are_refused_when_written(iam, statement, message: str) -> None:
    text = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", **statement}})
    assert ("MalformedPolicyDocument", message) == refused(iam.create_policy, PolicyName="p", PolicyDocument=text)


def test_documents_have_their_quota_and_white_space_does_not_count(iam) -> None:
    text = json.dumps(POLICY) + " " * 7000
    assert "models" == iam.create_policy(PolicyName="models", PolicyDocument=text)["Policy"]["PolicyName"]
    big = {**POLICY, "Statement": {**POLICY["Statement"], "Resource": ["arn:aws:s3:::" + "x" * 6200]}}
    assert ("LimitExceeded", "Cannot exceed quota for PolicySize: 6144") == refused(
        iam.create_policy, PolicyName="big", PolicyDocument=json.dumps(big)
    )

"""Who may invoke: callers prepared from a table, and what those are told who may not."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.aws.errors import ServiceError
from moorage.core.iam.conditions import Condition
from moorage.core.iam.evaluation import EVERYTHING, NOTHING, Decision, Grant, Proviso
from moorage.core.iam.policy import Effect
from moorage.core.names import sagemaker_arn
from moorage.core.routes import UNRESTRICTED, AccessKey, BearerKey, InvokePermission, RouteTable
from moorage.gateway import permission
from moorage.gateway.permission import Callers, Decisions, is_bearer

ACCOUNT = "123456789012"
ROOT = AccessKey(secret="r", principal_arn=f"arn:aws:iam::{ACCOUNT}:root", account_id=ACCOUNT)
ANN = AccessKey(secret="a", principal_arn=f"arn:aws:iam::{ACCOUNT}:user/ann", account_id=ACCOUNT)
IRIS = sagemaker_arn("us-east-1", ACCOUNT, "endpoint", "iris")
OTHER = sagemaker_arn("us-east-1", ACCOUNT, "endpoint", "other")
TABLE = RouteTable(
    account_id=ACCOUNT,
    keys={"AKIAROOT": ROOT, "AKIAANN": ANN},
    permissions={ROOT.principal_arn: UNRESTRICTED, ANN.principal_arn: InvokePermission(invoke=Grant((IRIS,)))},
    bearer_keys={hashlib.sha256(b"token").hexdigest(): BearerKey("bk-1", "us-east-1", "iris")},
)


def may(caller, arn: str) -> tuple[bool, bool, bool]:
    return caller.may_invoke[arn], caller.may_invoke_async[arn], caller.may_stream[arn]


def test_the_root_key_may_invoke_everything() -> None:
    assert (True, True, True) == may(Callers(TABLE).find("AKIAROOT"), OTHER)


def test_a_principal_may_do_what_is_granted_to_it_and_nothing_else() -> None:
    caller = Callers(TABLE).find("AKIAANN")
    assert (True, False, False) == may(caller, IRIS)
    assert (False, False, False) == may(caller, OTHER)


def test_a_principal_without_a_permission_may_nothing() -> None:
    assert (False, False, False) == may(Callers(replace(TABLE, permissions={})).find("AKIAANN"), IRIS)


def test_an_unknown_key_is_nobodys() -> None:
    assert Callers(TABLE).find("AKIANOBODY") is None


def test_a_refusal_names_the_caller_the_action_and_the_reason() -> None:
    caller = Callers(TABLE).find("AKIAANN")
    error = permission.not_allowed(caller, caller.may_stream, IRIS, {})
    expected = (
        f"User: arn:aws:iam::{ACCOUNT}:user/ann is not authorized to perform: "
        f"sagemaker:InvokeEndpointWithResponseStream on resource: {IRIS} because no identity-based policy allows the "
        "sagemaker:InvokeEndpointWithResponseStream action"
    )
    assert ("AccessDeniedException", 403, expected) == (error.code, error.status, error.message)


def test_an_explicit_deny_is_called_one() -> None:
    denied = replace(TABLE, permissions={ANN.principal_arn: InvokePermission(Grant((".*",), (IRIS,)))})
    caller = Callers(denied).find("AKIAANN")
    assert (False, True) == (caller.may_invoke[IRIS], caller.may_invoke[OTHER])
    message = permission.not_allowed(caller, caller.may_invoke, IRIS, {}).message
    assert message.endswith("with an explicit deny in an identity-based policy")


def test_what_has_not_changed_is_kept_from_table_to_table() -> None:
    first = Callers(TABLE)
    ann, root = first.find("AKIAANN"), first.find("AKIAROOT")
    second = Callers(replace(TABLE, version=2, permissions={ROOT.principal_arn: UNRESTRICTED}), first)
    assert root is second.find("AKIAROOT")
    assert ann is not second.find("AKIAANN")
    assert not second.find("AKIAANN").may_invoke[IRIS]


def test_a_change_of_routes_alone_keeps_every_caller() -> None:
    first = Callers(TABLE)
    ann = first.find("AKIAANN")
    second = Callers(replace(TABLE, version=2, endpoints={}), first)
    assert ann is second.find("AKIAANN")


def test_a_withdrawn_key_is_not_kept() -> None:
    first = Callers(TABLE)
    assert first.find("AKIAANN")
    assert Callers(replace(TABLE, keys={"AKIAROOT": ROOT}), first).find("AKIAANN") is None


def test_names_that_do_not_exist_do_not_fill_the_memory() -> None:
    decisions = Decisions(permission.INVOKE, EVERYTHING)
    assert all(decisions[f"arn-{number}"] for number in range(40_000))
    assert len(decisions) <= 16_384


@given(
    st.lists(st.sampled_from(["a", "b", "a.*", ".*"])),
    st.lists(st.sampled_from(["ab", "b"])),
    st.lists(st.text("ab", max_size=3)),
)
def test_what_is_remembered_is_what_the_grant_says(allowed, denied, arns) -> None:
    grant = Grant(tuple(allowed), tuple(denied))
    decisions = Decisions(permission.INVOKE, grant)
    for arn in [*arns, *arns]:
        assert (grant.decide(arn) is Decision.ALLOWED) is decisions[arn]


def test_a_proviso_is_decided_by_what_the_request_asks_for() -> None:
    only_forest = Condition("stringequals", "sagemaker:targetcontainerhostname", ("forest",))
    grant = Grant(provisos=(Proviso(Effect.ALLOW, ".*", (only_forest,)),))
    caller = Callers(replace(TABLE, permissions={ANN.principal_arn: InvokePermission(grant)})).find("AKIAANN")
    header = b"x-amzn-sagemaker-target-container-hostname"
    assert caller.may_invoke.has_provisos
    assert caller.may_invoke.allow(IRIS, {header: b"forest"})
    for fields in ({}, {header: b"scale"}, {header: b"\xff"}, {b"x-amzn-sagemaker-target-model": b"forest"}):
        assert not caller.may_invoke.allow(IRIS, fields)
        message = permission.not_allowed(caller, caller.may_invoke, IRIS, fields).message
        assert message.endswith("because no identity-based policy allows the sagemaker:InvokeEndpoint action")
    assert not caller.may_stream.has_provisos


def test_a_bearer_key_opens_its_endpoint() -> None:
    assert BearerKey("bk-1", "us-east-1", "iris") == Callers(TABLE).open(b"Bearer token", "iris")


@pytest.mark.parametrize(("header", "name"), [(b"Bearer token", "other"), (b"Bearer wrong", "iris"), (b"Bearer ", "x")])
def test_a_key_of_another_endpoint_is_refused_like_an_unknown_one(header: bytes, name: str) -> None:
    with pytest.raises(ServiceError) as caught:
        Callers(TABLE).open(header, name)
    error = caught.value
    assert (401, 'Bearer error="invalid_token"') == (error.status, error.headers["WWW-Authenticate"])
    assert "The bearer key included in the request is not valid for this endpoint." == error.message


def test_a_header_is_a_bearers_or_a_signature() -> None:
    assert is_bearer(b"Bearer x")
    assert is_bearer(b"bearer x")
    assert not is_bearer(b"AWS4-HMAC-SHA256 Credential=x")
    assert not is_bearer(b"Bearer")


def test_nothing_is_the_default() -> None:
    assert InvokePermission(NOTHING, NOTHING, NOTHING) == InvokePermission()

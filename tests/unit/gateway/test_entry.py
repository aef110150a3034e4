"""Who is let in to an endpoint, and in which order what is wrong is said."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from moorage.aws.errors import ServiceError
from moorage.core.iam.conditions import Condition
from moorage.core.iam.evaluation import Grant, Proviso
from moorage.core.iam.policy import Effect
from moorage.core.names import sagemaker_arn
from moorage.core.routes import AccessKey, BearerKey, EndpointRoute, InvokePermission, RouteTable
from moorage.gateway.admission import WHOLE_SHARE
from moorage.gateway.entry import Admitted, enter
from moorage.gateway.ledger import Ledger
from moorage.gateway.ledger_file import LedgerFile
from moorage.gateway.live import Live
from moorage.gateway.tables import Routes
from moorage.gateway.target import Operation
from moorage.system.clock import SystemClock
from moorage.testing.signing import KEY_ID, REGION, SECRET, sign
from moorage.wire.limits import Limits
from moorage.wire.request import ServerRequest

ACCOUNT = "123456789012"
ANN = f"arn:aws:iam::{ACCOUNT}:user/ann"
IRIS = sagemaker_arn(REGION, ACCOUNT, "endpoint", "iris")
TOKEN = "moorage-" + "k" * 43
SEGMENTS = {
    Operation.INVOKE: "invocations",
    Operation.ASYNC: "async-invocations",
    Operation.STREAM: "invocations-response-stream",
}
TABLE = RouteTable(
    account_id=ACCOUNT,
    keys={KEY_ID: AccessKey(SECRET, ANN, ACCOUNT)},
    permissions={ANN: InvokePermission(invoke=Grant((IRIS, sagemaker_arn(REGION, ACCOUNT, "endpoint", "granted"))))},
    bearer_keys={hashlib.sha256(TOKEN.encode()).hexdigest(): BearerKey("bk-1", REGION, "iris")},
    endpoints={
        REGION: {
            name: EndpointRoute(sagemaker_arn(REGION, ACCOUNT, "endpoint", name), "config", ())
            for name in ("iris", "other", "Upper")
        }
    },
)


def let_in(
    name: str,
    *,
    operation: Operation = Operation.INVOKE,
    authorization: str | None = None,
    table: RouteTable = TABLE,
    headers: dict[str, str] | None = None,
) -> Admitted:
    """What becomes of a request that is signed, or has another Authorization."""
    url = f"http://127.0.0.1/endpoints/{name}/{SEGMENTS[operation]}"
    sent = sign(url=url, body=b"1,2", at=SystemClock().now(), headers=headers or {})
    fields = dict(sent.headers)
    if authorization is not None:
        fields[b"authorization"] = authorization.encode()
    return let_in_as_sent(name, sent.path, list(fields.items()), operation=operation, table=table, body=sent.body)


def let_in_as_sent(
    name: str,
    target: bytes,
    headers: list[tuple[bytes, bytes]],
    *,
    operation: Operation = Operation.INVOKE,
    table: RouteTable = TABLE,
    body: bytes = b"",
) -> Admitted:
    """What becomes of a request with just these headers."""
    request = ServerRequest(
        b"POST",
        target,
        headers,
        dict(headers),
        content_length=len(body),
        http_11=True,
        keep_alive=True,
        expect=None,
    )
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger(LedgerFile(Path(folder), "test"))
        live = Live(ledger, monotonic=lambda: 0.0, share=WHOLE_SHARE, limits=Limits())
        routes = Routes(table, live, lambda: 0.0)
        return enter(routes, request, body, name=name, operation=operation, now=SystemClock().now)


def refusal(name: str, **options) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        let_in(name, **options)
    return caught.value


def test_a_user_is_let_in_where_it_may_invoke() -> None:
    entry = let_in("iris")
    assert (IRIS, ACCOUNT, ANN) == (entry.endpoint.route.arn, entry.account_id, entry.principal)


@pytest.mark.parametrize("name", ["other", "Upper", "missing"])
def test_elsewhere_the_refusal_is_the_same_whether_there_is_an_endpoint(name: str) -> None:
    error = refusal(name, headers={"X-Amzn-SageMaker-Target-Model": "m"})
    expected = (
        f"User: {ANN} is not authorized to perform: sagemaker:InvokeEndpoint on resource: "
        f"{sagemaker_arn(REGION, ACCOUNT, 'endpoint', name)} because no identity-based policy allows the "
        "sagemaker:InvokeEndpoint action"
    )
    assert (403, "AccessDeniedException", expected) == (error.status, error.code, error.message)


def test_a_policy_may_speak_of_the_container_that_a_request_is_for() -> None:
    only_forest = Condition("stringequals", "sagemaker:targetcontainerhostname", ("forest",))
    granted = InvokePermission(invoke=Grant(provisos=(Proviso(Effect.ALLOW, ".*", (only_forest,)),)))
    table = replace(TABLE, permissions={ANN: granted})
    target = "X-Amzn-SageMaker-Target-Container-Hostname"
    assert ANN == let_in("iris", table=table, headers={target: "forest"}).principal
    for headers in ({}, {target: "scale"}):
        assert "AccessDeniedException" == refusal("iris", table=table, headers=headers).code


def test_who_may_invoke_learns_that_there_is_no_such_endpoint() -> None:
    assert f"Endpoint granted of account {ACCOUNT} not found." == refusal("granted").message


@pytest.mark.parametrize("operation", [Operation.ASYNC, Operation.STREAM])
def test_each_operation_is_allowed_apart(operation: Operation) -> None:
    error = refusal("iris", operation=operation)
    assert "AccessDeniedException" == error.code
    assert f"sagemaker:{operation.value} on resource: {IRIS}" in error.message


def test_what_is_not_served_is_said_only_to_those_who_may_ask_for_it() -> None:
    everything = Grant((".*",))
    allowed = replace(TABLE, permissions={ANN: InvokePermission(everything, everything, everything)})
    assert "NotImplemented" == refusal("iris", operation=Operation.ASYNC, table=allowed).code


def test_a_key_that_is_not_in_the_table_is_nobodys() -> None:
    assert (403, "UnrecognizedClientException") == (
        (error := refusal("iris", table=replace(TABLE, keys={}))).status,
        error.code,
    )


@pytest.mark.parametrize("operation", [Operation.INVOKE, Operation.STREAM])
def test_a_bearer_key_lets_in_to_its_endpoint(operation: Operation) -> None:
    entry = let_in("iris", operation=operation, authorization=f"Bearer {TOKEN}")
    assert (IRIS, ACCOUNT, "bearer-key/bk-1") == (entry.endpoint.route.arn, entry.account_id, entry.principal)


@pytest.mark.parametrize(
    ("name", "authorization"),
    [
        ("other", f"Bearer {TOKEN}"),
        ("missing", f"Bearer {TOKEN}"),
        ("IRIS", f"Bearer {TOKEN}"),
        ("iris", f"Bearer {TOKEN}x"),
        ("iris", "Bearer "),
        ("iris", f"Bearer {hashlib.sha256(TOKEN.encode()).hexdigest()}"),
    ],
)
def test_any_other_bearer_key_is_refused_in_the_same_words(name: str, authorization: str) -> None:
    error = refusal(name, authorization=authorization)
    expected = (401, "The bearer key included in the request is not valid for this endpoint.")
    assert expected == (error.status, error.message)


def test_a_bearer_key_is_none_for_asynchronous_invocations() -> None:
    assert "NotImplemented" == refusal("iris", operation=Operation.ASYNC, authorization=f"Bearer {TOKEN}").code


def test_without_keys_the_door_is_shut() -> None:
    assert 401 == refusal("iris", authorization=f"Bearer {TOKEN}", table=replace(TABLE, bearer_keys={})).status


BEARER = (b"authorization", f"Bearer {TOKEN}".encode())
SIGNATURE = (b"authorization", b"AWS4-HMAC-SHA256 x")


@pytest.mark.parametrize(
    ("authorizations", "query"),
    [
        ([BEARER, SIGNATURE], b""),
        ([SIGNATURE, BEARER], b""),
        ([BEARER, BEARER], b""),
        ([BEARER], b"?X-Amz-Algorithm=AWS4-HMAC-SHA256"),
    ],
)
def test_two_ways_in_are_none(authorizations: list[tuple[bytes, bytes]], query: bytes) -> None:
    path = b"/endpoints/iris/invocations"
    with pytest.raises(ServiceError) as caught:
        let_in_as_sent("iris", path + query, authorizations)
    assert (403, "IncompleteSignatureException") == (caught.value.status, caught.value.code)
    assert let_in_as_sent("iris", path, [BEARER])


def test_another_scheme_is_no_signature() -> None:
    assert "IncompleteSignatureException" == refusal("iris", authorization="Basic eDp5").code

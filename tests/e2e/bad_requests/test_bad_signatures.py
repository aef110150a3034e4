"""Who is not believed, by service: nothing but the health check is served unsigned."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from moorage.testing.raw_caller import Heard, RawCaller
from moorage.testing.server import RunningMoorage

pytestmark = pytest.mark.slow

FORM: Final = "application/x-www-form-urlencoded"


def in_minutes(minutes: int) -> datetime:
    """A time by the clock of the test: the suite may have begun long before."""
    return datetime.now(UTC) + timedelta(minutes=minutes)


def query(service: str, form: bytes) -> Callable[..., AWSRequest]:
    def request(caller: RawCaller, **changes: Any) -> AWSRequest:
        return caller.signed("POST", "/", form, service=service, headers={"Content-Type": FORM}, **changes)

    return request


def list_buckets(caller: RawCaller, **changes: Any) -> AWSRequest:
    return caller.signed("GET", "/", service="s3", **changes)


CALLS: Final[dict[str, Callable[..., AWSRequest]]] = {
    "sagemaker": lambda caller, **changes: caller.control("ListEndpoints", **changes),
    "iam": query("iam", b"Action=ListRoles&Version=2010-05-08"),
    "sts": query("sts", b"Action=GetCallerIdentity&Version=2011-06-15"),
    "s3": list_buckets,
    "runtime": lambda caller, **changes: caller.invocation("bad", **changes),
}
CONTENT_TYPES: Final = {
    "sagemaker": "application/x-amz-json-1.1",
    "iam": "text/xml",
    "sts": "text/xml",
    "s3": "application/xml",
    "runtime": "application/json",
}

# What is wrong with the signature, and what sagemaker, iam and sts, s3, and the runtime say to it.
_QUERY_MALFORMED = (400, "IncompleteSignature")
SIGNATURES: Final[dict[str, tuple[Callable[[RawCaller, Callable[..., AWSRequest]], bytes], Any]]] = {
    "missing": (
        lambda caller, call: caller.written(call(caller), without=["Authorization"]),
        {
            "sagemaker": (400, "MissingAuthenticationTokenException"),
            "query": (403, "MissingAuthenticationToken"),
            "s3": (403, "AccessDenied"),
            "runtime": (403, "MissingAuthenticationTokenException"),
        },
    ),
    "malformed": (
        lambda caller, call: caller.written(
            call(caller), without=["Authorization"], extra=[("Authorization", "Basic eDp5")]
        ),
        {
            "sagemaker": (400, "IncompleteSignatureException"),
            "query": _QUERY_MALFORMED,
            "s3": (400, "AuthorizationHeaderMalformed"),
            "runtime": (403, "IncompleteSignatureException"),
        },
    ),
    "bearer": (
        lambda caller, call: caller.written(
            call(caller), without=["Authorization"], extra=[("Authorization", "Bearer x")]
        ),
        {
            "sagemaker": (400, "IncompleteSignatureException"),
            "query": _QUERY_MALFORMED,
            "s3": (400, "AuthorizationHeaderMalformed"),
            "runtime": (401, "UnrecognizedClientException"),
        },
    ),
    "twice": (
        lambda caller, call: caller.written(call(caller), extra=[("Authorization", "AWS4-HMAC-SHA256 x")]),
        {
            "sagemaker": (400, "IncompleteSignatureException"),
            "query": _QUERY_MALFORMED,
            "s3": (400, "InvalidArgument"),
            "runtime": (403, "IncompleteSignatureException"),
        },
    ),
    "unknown-key": (
        lambda caller, call: caller.written(call(caller, key_id="AKIANOBODY")),
        {
            "sagemaker": (400, "UnrecognizedClientException"),
            "query": (403, "InvalidClientTokenId"),
            "s3": (403, "InvalidAccessKeyId"),
            "runtime": (403, "UnrecognizedClientException"),
        },
    ),
    "token": (
        lambda caller, call: caller.written(call(caller, token="made-up")),
        {
            "sagemaker": (400, "UnrecognizedClientException"),
            "query": (403, "InvalidClientTokenId"),
            "s3": (400, "InvalidToken"),
            "runtime": (403, "UnrecognizedClientException"),
        },
    ),
    "wrong-secret": (
        lambda caller, call: caller.written(call(caller, secret="wrong")),
        {
            "sagemaker": (400, "InvalidSignatureException"),
            "query": (403, "SignatureDoesNotMatch"),
            "s3": (403, "SignatureDoesNotMatch"),
            "runtime": (403, "InvalidSignatureException"),
        },
    ),
    "unsigned-header": (
        lambda caller, call: caller.written(call(caller), extra=[("x-amz-more", "1")]),
        {
            "sagemaker": (400, "InvalidSignatureException"),
            "query": (403, "SignatureDoesNotMatch"),
            "s3": (403, "AccessDenied"),
            "runtime": (403, "InvalidSignatureException"),
        },
    ),
    "no-region": (
        lambda caller, call: caller.written(call(caller, region="..")),
        {
            "sagemaker": (400, "IncompleteSignatureException"),
            "query": _QUERY_MALFORMED,
            "s3": (400, "AuthorizationHeaderMalformed"),
            "runtime": (403, "IncompleteSignatureException"),
        },
    ),
    "old": (
        lambda caller, call: caller.written(call(caller, at=in_minutes(-20))),
        {
            "sagemaker": (400, "InvalidSignatureException"),
            "query": (403, "SignatureDoesNotMatch"),
            "s3": (403, "RequestTimeTooSkewed"),
            "runtime": (403, "InvalidSignatureException"),
        },
    ),
    "ahead": (
        lambda caller, call: caller.written(call(caller, at=in_minutes(40))),
        {
            "sagemaker": (400, "InvalidSignatureException"),
            "query": (403, "SignatureDoesNotMatch"),
            "s3": (403, "RequestTimeTooSkewed"),
            "runtime": (403, "InvalidSignatureException"),
        },
    ),
}


@pytest.mark.parametrize("service", CALLS)
@pytest.mark.parametrize("fault", SIGNATURES)
def test_who_is_not_believed(caller: RawCaller, ask: Callable[[bytes], Heard], service: str, fault: str) -> None:
    spoil, answers = SIGNATURES[fault]
    expected = answers["query" if service in ("iam", "sts") else service]
    heard = ask(spoil(caller, CALLS[service]))

    assert (*expected, True) == (heard.status, heard.code, heard.is_kept)
    assert CONTENT_TYPES[service] == heard.fields["content-type"]


@pytest.mark.parametrize("service", CALLS)
def test_who_is_believed(caller: RawCaller, service: str) -> None:
    assert 200 == caller.ask(caller.written(CALLS[service](caller))).status


OTHER_HASH: Final = hashlib.sha256(b"other").hexdigest()
SIGNED_FOR_ELSE: Final[dict[str, tuple[int, str, Callable[[RawCaller], bytes]]]] = {
    "another service, control": (
        400,
        "InvalidSignatureException",
        lambda caller: caller.written(caller.control("ListEndpoints", service="iam")),
    ),
    "another service, runtime": (
        403,
        "InvalidSignatureException",
        lambda caller: caller.written(caller.invocation("bad", signer=SigV4Auth, service="s3")),
    ),
    "another body, control": (
        400,
        "InvalidSignatureException",
        lambda caller: caller.written(caller.control("ListEndpoints"), body=b'{"MaxResults":1}'),
    ),
    "another body, runtime": (
        403,
        "InvalidSignatureException",
        lambda c: c.written(c.invocation("bad"), body=b"olleh"),
    ),
    "another body, store": (
        400,
        "XAmzContentSHA256Mismatch",
        lambda caller: caller.written(caller.signed("PUT", "/bucket/other", b"hello", service="s3"), body=b"olleh"),
    ),
    "another hash, control": (
        400,
        "InvalidSignatureException",
        lambda c: c.written(c.control("ListEndpoints", headers={"X-Amz-Content-SHA256": OTHER_HASH})),
    ),
    "unsigned body, control": (
        400,
        "InvalidSignatureException",
        lambda c: c.written(c.control("ListEndpoints", headers={"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"})),
    ),
    "unsigned body, runtime": (
        403,
        "InvalidSignatureException",
        lambda c: c.written(c.invocation("bad", headers={"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"})),
    ),
    "header and query": (
        400,
        "InvalidArgument",
        lambda c: c.written(
            c.signed("GET", "/bucket/k", service="s3", presign_s=60), extra=[("Authorization", "AWS4-HMAC-SHA256 x")]
        ),
    ),
    "presigned for another method": (
        403,
        "SignatureDoesNotMatch",
        lambda c: c.written(c.signed("GET", "/bucket/k", service="s3", presign_s=60)).replace(b"GET ", b"PUT ", 1),
    ),
    "presigned for another key": (
        403,
        "SignatureDoesNotMatch",
        lambda c: c.written(c.signed("GET", "/bucket/k", service="s3", presign_s=60)).replace(b"/k?", b"/l?", 1),
    ),
    "presigned, one parameter more": (
        403,
        "SignatureDoesNotMatch",
        lambda c: c.written(c.signed("GET", "/bucket/k", service="s3", presign_s=60)).replace(
            b"/k?", b"/k?versionId=1&", 1
        ),
    ),
    "presigned for too long": (
        400,
        "AuthorizationQueryParametersError",
        lambda c: c.written(c.signed("GET", "/bucket/k", service="s3", presign_s=8 * 86400)),
    ),
    "presigned and expired": (
        403,
        "AccessDenied",
        lambda c: c.written(c.signed("GET", "/bucket/k", service="s3", presign_s=60, at=in_minutes(-10))),
    ),
}


@pytest.mark.parametrize("case", SIGNED_FOR_ELSE)
def test_a_signature_is_for_one_request_alone(caller: RawCaller, ask: Callable[[bytes], Heard], case: str) -> None:
    status, code, write = SIGNED_FOR_ELSE[case]
    heard = ask(write(caller))

    assert (status, code) == (heard.status, heard.code)


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("POST", "/health"),
        ("GET", "//health"),
        ("GET", "/health/"),
        ("POST", "/reload"),
        ("POST", "/drain"),
        ("POST", "/status"),
    ],
)
def test_nothing_but_health_is_served_unsigned(caller: RawCaller, method: str, target: str) -> None:
    assert 403 == caller.ask(caller.plain(method, target)).status


def test_sockets_and_secrets_are_for_their_owner_alone(abused: RunningMoorage) -> None:
    modes = dict(modes_below(abused.data_dir))
    sockets = {path for path, mode in modes.items() if stat.S_ISSOCK(mode)}
    private = {abused.data_dir / name for name in ("credentials.json", "secrets.json", "routes.json", "state.db")}

    assert {"control", "agent", "supervisor", "gateway"} <= {path.stem.split("-")[0] for path in sockets}
    assert private <= modes.keys()
    assert [] == [path for path in sockets | private if stat.S_IMODE(modes[path]) & 0o077]


def modes_below(folder: Path) -> Iterator[tuple[Path, int]]:
    """Every file with its mode, but for those that vanish meanwhile: an instance may be being removed."""
    for parent, _, names in os.walk(folder):
        for path in (Path(parent, name) for name in names):
            with contextlib.suppress(FileNotFoundError):
                yield path, path.lstat().st_mode

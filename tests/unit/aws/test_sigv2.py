"""Legacy presigned URLs, made by botocore's `HmacV1QueryAuth`."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.aws.authentication import AuthenticationError, Failure
from moorage.aws.http import Headers, HttpRequest
from moorage.aws.sigv2 import authenticate, is_presigned
from moorage.testing.signing import KEY_ID, NOW, Sent, secret_of, sign_v2_query

URL = "http://127.0.0.1:4566/bucket/a%20key"


def received(sent: Sent) -> HttpRequest:
    kept = {b"host", b"content-type", b"content-md5"}
    headers = [(name.decode(), value.decode()) for name, value in sent.headers if name in kept]
    return HttpRequest(sent.method.decode(), sent.path.decode(), sent.query.decode(), Headers(headers))


def check(request: HttpRequest, *, at=NOW, bucket: str | None = None) -> str:
    return authenticate(request, bucket=bucket, secret_of=secret_of, now=at)


def failure(request: HttpRequest, *, at=NOW) -> AuthenticationError:
    with pytest.raises(AuthenticationError) as caught:
        check(request, at=at)
    return caught.value


@given(
    st.sampled_from(["GET", "PUT", "DELETE", "HEAD"]),
    st.sampled_from(
        ["", "?versionId=a%2Bb", "?prefix=x", "?uploadId=q&partNumber=1", "?acl", "?response-expires=a%20b"]
    ),
    st.dictionaries(
        st.sampled_from(["Content-Type", "Content-MD5", "x-amz-meta-a", "x-amz-acl"]),
        st.text("abc/ -", min_size=1, max_size=8).map(str.strip).filter(bool),
    ),
)
def test_whatever_botocore_presigns_verifies(method: str, query: str, headers: dict[str, str]) -> None:
    request = received(sign_v2_query(method, URL + query, headers=headers))
    assert is_presigned(request)
    assert KEY_ID == check(request)


@given(st.data())
def test_a_changed_byte_does_not_verify(data: st.DataObject) -> None:
    request = received(sign_v2_query("GET", URL + "?versionId=abcdef"))
    field = data.draw(st.sampled_from(["method", "path", "query"]))
    value = getattr(request, field)
    index = data.draw(st.integers(0, len(value) - 1))
    byte = data.draw(st.sampled_from("xyzXYZ7"))
    setattr(request, field, value[:index] + byte + value[index + 1 :])
    if getattr(request, field) != value and is_presigned(request):
        with pytest.raises(AuthenticationError):
            check(request)


def test_the_bucket_of_the_host_is_part_of_what_is_signed() -> None:
    request = received(sign_v2_query("GET", URL))
    request.path = "/a%20key"
    assert KEY_ID == check(request, bucket="bucket")
    assert Failure.WRONG_SIGNATURE is failure(request).kind


def test_it_lives_until_its_expiry_and_at_most_seven_days() -> None:
    request = received(sign_v2_query("GET", URL, expires=60))
    assert KEY_ID == check(request, at=NOW + timedelta(seconds=59))
    assert "Request has expired" == failure(request, at=NOW + timedelta(seconds=61)).message
    assert Failure.EXPIRED is failure(received(sign_v2_query("GET", URL, expires=8 * 86400))).kind


def test_other_faults() -> None:
    request = received(sign_v2_query("GET", URL))
    request.query = request.query.replace(KEY_ID, "AKIDUNKNOWN")
    assert Failure.UNKNOWN_KEY is failure(request).kind
    request = received(sign_v2_query("GET", URL))
    request.headers.add("Authorization", "AWS4-HMAC-SHA256 …")
    assert Failure.AMBIGUOUS is failure(request).kind
    request = received(sign_v2_query("GET", URL + "?versionId=good"))
    request.query = "versionId=evil&" + request.query
    assert Failure.WRONG_SIGNATURE is failure(request).kind
    request = received(sign_v2_query("GET", URL))
    request.query = request.query.replace("Expires=", "Expires=soon")
    assert Failure.EXPIRED is failure(request).kind

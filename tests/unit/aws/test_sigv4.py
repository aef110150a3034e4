"""Whatever botocore signs verifies; whatever is changed afterwards does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from urllib.parse import quote

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from moorage.aws import canonical
from moorage.aws.authentication import AuthenticationError, Failure, answer_for
from moorage.aws.authorization import Credential
from moorage.aws.call import Protocol
from moorage.aws.sigv4 import authenticate, require_service
from moorage.testing.signing import KEY_ID, NOW, REGION, SECRET, Sent, secret_of, sign

BASE = "http://127.0.0.1:4566"
segment = st.text("abcXYZ019-_.~/+ é", min_size=1, max_size=8)
token_text = st.text("abcdefghijklmnopqrstuvwxyz-", min_size=1, max_size=10)
header_value = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=30).map(str.strip)


def check(sent: Sent, *, at=NOW) -> Credential:
    return authenticate(
        sent.method,
        sent.path,
        query=sent.query,
        fields=canonical.header_fields(sent.headers),
        body_sha256=sent.body_sha256,
        secret_of=secret_of,
        now=at,
    )


def failure(sent: Sent, *, at=NOW) -> AuthenticationError:
    with pytest.raises(AuthenticationError) as caught:
        check(sent, at=at)
    return caught.value


@st.composite
def signed(draw) -> Sent:
    path = "/" + "/".join(quote(part) for part in draw(st.lists(segment, max_size=4)))
    pairs = draw(st.lists(st.tuples(token_text, segment), max_size=4))
    query = "&".join(f"{name}={quote(value, safe='-_.~')}" for name, value in pairs)
    names = draw(st.lists(token_text.map(lambda name: "x-" + name), unique=True, max_size=4))
    where = draw(st.sampled_from(["header", "query"]))
    return sign(
        draw(st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD"])),
        f"{BASE}{path}" + ("?" + query if query else ""),
        service=draw(st.sampled_from(["sagemaker", "s3", "iam"])),
        headers={name: draw(header_value) for name in names},
        body=draw(st.binary(max_size=40)) if where == "header" else b"",
        where=where,
    )


@given(signed())
def test_whatever_botocore_signs_verifies(sent: Sent) -> None:
    assert KEY_ID == check(sent).access_key_id


def test_the_answer_is_the_scope_of_the_credential() -> None:
    assert Credential(KEY_ID, "20261121", REGION, "sagemaker") == check(sign(body=b"{}"))


@settings(max_examples=300)
@given(signed(), st.data())
def test_one_changed_byte_of_what_is_signed_does_not_verify(sent: Sent, data: st.DataObject) -> None:
    changed = data.draw(_one_byte_changed(sent))
    assume(_meaning(changed) != _meaning(sent))
    with pytest.raises(AuthenticationError):
        check(changed)


def _one_byte_changed(sent: Sent) -> st.SearchStrategy[Sent]:
    presigned_object = b"X-Amz-Algorithm" in sent.query and b"%2Fs3%2F" in sent.query
    choices = [
        _changed(sent.method).map(lambda value: replace(sent, method=value)),
        _changed(sent.path, keep=1).map(lambda value: replace(sent, path=value)),
    ]
    if sent.query:
        choices.append(_changed(sent.query).map(lambda value: replace(sent, query=value)))
    if sent.body and not presigned_object:
        choices.append(_changed(sent.body).map(lambda value: replace(sent, body=value)))
    signed_names = [name for name, value in sent.headers if value and name in _signed_names(sent)]
    if signed_names:
        name = st.sampled_from(signed_names)
        choices.append(name.flatmap(lambda n: _changed(sent.header(n)).map(lambda value: sent.with_header(n, value))))
    return st.one_of(choices)


@st.composite
def _changed(draw, value: bytes, *, keep: int = 0) -> bytes:
    if len(value) <= keep:
        return value + b"x"
    index = draw(st.integers(keep, len(value) - 1))
    byte = draw(st.sampled_from(b"abcdefgXYZ0123456789-_~"))
    assume(byte != value[index])
    return value[:index] + bytes([byte]) + value[index + 1 :]


def _signed_names(sent: Sent) -> set[bytes]:
    """Both forms list the signed headers in plain sight."""
    text = dict(sent.headers).get(b"authorization", sent.query.replace(b"%3B", b";"))
    listed = text.partition(b"SignedHeaders=")[2].replace(b"&", b",").partition(b",")[0]
    return {*listed.split(b";")} - {b"authorization"}


def _meaning(sent: Sent) -> tuple[object, ...]:
    """Two spellings of one request may both verify: they mean the same."""
    service_path = canonical.service_path(sent.path)
    headers = {name: canonical.fold(value) for name, value in sent.headers}
    is_s3 = b"/s3/aws4_request" in headers.get(b"authorization", b"") or b"%2Fs3%2Faws4_request" in sent.query
    path = canonical.object_path(sent.path) if is_s3 else service_path
    return sent.method, path, canonical.encoded_query(sent.query), headers, sent.body


def in_region(sent: Sent, region: bytes) -> Sent:
    return sent.with_header(b"authorization", sent.header(b"authorization").replace(REGION.encode(), region))


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda sent: sent.without_header(b"authorization"), Failure.MISSING),
        (lambda sent: sent.with_header(b"authorization", b"Bearer abc"), Failure.MALFORMED),
        (
            lambda sent: sent.with_header(b"authorization", b"AWS4-HMAC-SHA256 Credential=a, Signature=b"),
            Failure.MALFORMED,
        ),
        (lambda sent: sent.with_header(b"authorization", b"x" * 5000 + b"Signature=a"), Failure.MALFORMED),
        (lambda sent: in_region(sent, b".."), Failure.MALFORMED),
        (lambda sent: in_region(sent, b"a%2fb"), Failure.MALFORMED),
        (lambda sent: in_region(sent, b"x" * 64), Failure.MALFORMED),
        (lambda sent: in_region(sent, b"eu-west-2"), Failure.WRONG_SIGNATURE),
        (
            lambda sent: sent.without_header(b"x-amz-date").with_header(b"date", b"Fri, 31 Dec 9999 23:59:59 -2359"),
            Failure.WRONG_SIGNATURE,
        ),
        (
            lambda sent: replace(sent, headers=sent.headers + [i for i in sent.headers if i[0] == b"authorization"]),
            Failure.AMBIGUOUS,
        ),
        (lambda sent: replace(sent, query=b"X-Amz-Algorithm=AWS4-HMAC-SHA256"), Failure.AMBIGUOUS),
        (
            lambda sent: replace(sent, headers=[*sent.headers, (b"authorization", b"Basic a")]),
            Failure.MALFORMED,
        ),
        (lambda sent: replace(sent, headers=[*sent.headers, (b"x-amz-target", b"X.Delete")]), Failure.UNSIGNED_HEADERS),
        (
            lambda sent: sent.with_header(b"authorization", sent.header(b"authorization").replace(b"host;", b"")),
            Failure.UNSIGNED_HEADERS,
        ),
        (lambda sent: sent.without_header(b"x-amz-date"), Failure.MALFORMED),
        (lambda sent: sent.with_header(b"x-amz-date", b"20261121T0255"), Failure.MALFORMED),
        (lambda sent: sent.with_header(b"x-amz-date", b"20261122T025500Z"), Failure.WRONG_SIGNATURE),
        (lambda sent: sent.with_header(b"x-amz-date", b"20261121T025501Z"), Failure.WRONG_SIGNATURE),
        (lambda sent: replace(sent, body=b"other"), Failure.WRONG_SIGNATURE),
        (lambda sent: replace(sent, method=b"GET"), Failure.WRONG_SIGNATURE),
    ],
)
def test_each_fault_has_its_kind(change, kind: Failure) -> None:
    assert kind is failure(change(sign(body=b"{}"))).kind


def test_unknown_key_and_session_tokens_are_told_apart() -> None:
    sent = sign(token="made-up")
    assert Failure.INVALID_TOKEN is failure(sent).kind
    unknown = sent.with_header(b"authorization", sent.header(b"authorization").replace(b"AKIA", b"AKIB"))
    assert Failure.UNKNOWN_KEY is failure(unknown).kind


def test_a_signature_by_another_secret_is_refused() -> None:
    assert Failure.WRONG_SIGNATURE is failure(sign(secret=SECRET + "x")).kind


@pytest.mark.parametrize(("service", "minutes"), [("sagemaker", 5), ("s3", 15)])
def test_the_clock_may_differ_by_the_services_window(service: str, minutes: int) -> None:
    sent = sign(service=service)
    window = timedelta(minutes=minutes)
    for offset in (-window, window):
        assert service == check(sent, at=NOW + offset).service
    for offset in (-window, window):
        late = NOW + offset + offset / 600
        assert Failure.SKEWED is failure(sent, at=late).kind


def test_the_clock_messages_give_both_times_and_the_window() -> None:
    assert (
        "Signature expired: 20261121T025500Z is now earlier than 20261121T025600Z (20261121T030100Z - 5 min.)"
        == failure(sign(), at=NOW + timedelta(minutes=6)).message
    )
    assert (
        "Signature not yet current: 20261121T025500Z is still later than 20261121T025400Z (20261121T024900Z + 5 min.)"
        == failure(sign(), at=NOW - timedelta(minutes=6)).message
    )


def test_a_date_header_may_stand_in_for_x_amz_date() -> None:
    sent = sign(headers={"Date": "anything"})
    assert b"x-amz-date" not in dict(sent.headers)
    assert KEY_ID == check(sent).access_key_id


@pytest.mark.parametrize("service", ["s3", "sagemaker"])
def test_a_presigned_url_lives_from_its_date_to_its_expiry(service: str) -> None:
    sent = sign("GET", f"{BASE}/bucket/key", service=service, where="query", expires=60)
    assert service == check(sent, at=NOW + timedelta(seconds=60)).service
    assert "Request has expired" == failure(sent, at=NOW + timedelta(seconds=61)).message
    assert "Request is not valid yet" == failure(sent, at=NOW - timedelta(minutes=16)).message


@pytest.mark.parametrize(("expires", "valid"), [(604800, True), (604801, False), (-1, False), (0, True)])
def test_a_presigned_url_lives_at_most_seven_days(expires: int, *, valid: bool) -> None:
    sent = sign("GET", f"{BASE}/bucket/key", service="s3", where="query", expires=expires)
    if valid:
        assert "s3" == check(sent).service
    else:
        assert Failure.MALFORMED_QUERY is failure(sent).kind


def test_a_presigned_upload_may_carry_any_body_but_no_further_amazon_headers() -> None:
    sent = sign("PUT", f"{BASE}/bucket/key", service="s3", where="query")
    assert "s3" == check(replace(sent, body=b"anything")).service
    added = replace(sent, headers=[*sent.headers, (b"x-amz-acl", b"public-read")])
    assert Failure.UNSIGNED_HEADERS is failure(added).kind


def test_a_presigned_url_has_one_signature() -> None:
    """All else in the query is signed; of two signatures one would be what anybody has put there."""
    sent = sign("GET", f"{BASE}/bucket/key", service="s3", where="query")
    for query in (sent.query + b"&X-Amz-Signature=" + b"0" * 64, b"X-Amz-Signature=x&" + sent.query):
        assert Failure.MALFORMED_QUERY is failure(replace(sent, query=query)).kind


def test_an_object_upload_whose_body_differs_from_the_declared_hash_says_so() -> None:
    assert Failure.WRONG_BODY is failure(replace(sign(service="s3", body=b"a"), body=b"b")).kind


def test_only_s3_may_leave_the_body_unsigned() -> None:
    unsigned = {"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"}
    assert Failure.BODY_UNDECLARED is failure(sign(headers=unsigned)).kind


def test_s3_requires_the_declared_hash() -> None:
    sent = sign(service="s3").without_header(b"x-amz-content-sha256")
    assert Failure.BODY_UNDECLARED is failure(sent).kind


def test_clients_that_sign_the_encoded_form_and_send_another_are_understood() -> None:
    sent = sign("GET", f"{BASE}/bucket/a%2Bb?prefix=x%2Fy&uploads=", service="s3")
    assert "s3" == check(replace(sent, path=b"/bucket/a+b", query=b"uploads&prefix=x/y")).service
    # An encoded slash is part of a key's segment, not a separator.
    slash = sign("GET", f"{BASE}/bucket/a/b", service="s3")
    assert Failure.WRONG_SIGNATURE is failure(replace(slash, path=b"/bucket/a%2Fb")).kind


def test_repeated_headers_are_joined_and_white_space_is_folded() -> None:
    sent = sign(headers={"X-List": "a  b,c"})
    rest = [item for item in sent.headers if item[0] != b"x-list"]
    assert KEY_ID == check(replace(sent, headers=[(b"x-list", b"  a\t b"), *rest, (b"x-list", b"c ")])).access_key_id


def test_the_order_of_the_authorization_fields_does_not_matter() -> None:
    sent = sign()
    start, _, signature = sent.header(b"authorization").rpartition(b", Signature=")
    algorithm, _, fields = start.partition(b" ")
    reordered = algorithm + b" Signature=" + signature + b", " + fields
    assert KEY_ID == check(sent.with_header(b"authorization", reordered)).access_key_id


def test_a_signature_for_another_service_is_refused() -> None:
    with pytest.raises(AuthenticationError, match="Credential should be scoped to correct service: 'sagemaker'"):
        require_service(check(sign(service="iam")), "sagemaker")


@pytest.mark.parametrize("kind", list(Failure))
def test_every_kind_has_an_answer_in_every_protocol(kind: Failure) -> None:
    error = AuthenticationError(kind, "text")
    answers = [answer_for(error, protocol) for protocol in Protocol]
    assert {400, 403} >= {answer.status for answer in answers}
    assert [400, 403] == [answer_for(error, protocol).status for protocol in (Protocol.JSON, Protocol.REST_JSON)]
    assert all(answer.message for answer in answers)

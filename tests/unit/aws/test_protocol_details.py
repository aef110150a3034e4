"""What the round trips cannot show: S3's ways, the forms of errors, and input that means harm."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree

import msgspec
import pytest

from moorage.aws import services
from moorage.aws.call import Call, Protocol
from moorage.aws.errors import ServiceError
from moorage.aws.http import Headers, HttpRequest, HttpResponse
from moorage.aws.protocols import decode, encode, encode_error

NS = "{http://s3.amazonaws.com/doc/2006-03-01/}"
MOMENT = datetime(2026, 11, 21, 2, 55, tzinfo=UTC)


def s3_request(method: str, target: str, body: bytes = b"", **headers: str) -> HttpRequest:
    path, _, query = target.partition("?")
    fields = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return HttpRequest(method, path, query, Headers(fields), body)


def s3_answer(operation: str, output: dict[str, Any]) -> HttpResponse:
    service = services.service("s3")
    request = s3_request("GET", "/")
    return encode(output, Call(request, "r", Protocol.REST_XML, service, service.operation_model(operation), params={}))


@pytest.mark.parametrize(
    ("path", "bucket", "key"),
    [
        ("/b/k", "b", "k"),
        ("/b/a/b//c", "b", "a/b//c"),
        ("/b//k", "b", "/k"),
        ("/b/../k", "b", "../k"),
        ("/b/a+b", "b", "a+b"),
        ("/b/a%2Fb%20c", "b", "a/b c"),
        ("/b/%F0%9F%98%80", "b", "😀"),
        ("/b/line%0Abreak", "b", "line\nbreak"),
        ("/b/k/", "b", "k/"),
        ("/b/k%3Fversioning", "b", "k?versioning"),
    ],
)
def test_keys_reach_the_handler_as_they_were_meant(path: str, bucket: str, key: str) -> None:
    call = decode(s3_request("GET", path), request_id="r")

    assert {"Bucket": bucket, "Key": key} == call.params


def test_a_virtual_host_names_the_bucket() -> None:
    call = decode(s3_request("GET", "/a/b", Host="my.bucket.s3.eu-west-1.localhost:80"), request_id="r")

    assert {"Bucket": "my.bucket", "Key": "a/b"} == call.params


async def test_an_object_is_streamed_in_untouched_and_its_metadata_is_gathered() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"piece"

    request = s3_request("PUT", "/b/k", x_amz_meta_Colour="bl\u00c3\u00bc", Expires="soon", Content_Type="text/plain")
    request.stream = pieces()

    call = decode(request, request_id="r")

    assert request.stream is call.params.pop("Body")
    assert {"Bucket": "b", "Key": "k", "Metadata": {"colour": "blü"}, "ContentType": "text/plain"} == call.params


@pytest.mark.parametrize(
    ("method", "target", "body", "code"),
    [
        ("GET", "/b?list-type=2&max-keys=many", b"", "InvalidArgument"),
        ("GET", "/b?list-type=2&encoding-type=rot13", b"", "InvalidArgument"),
        ("GET", "/b/%FF", b"", "InvalidArgument"),
        ("PUT", "/b?versioning", b"", "MissingRequestBodyError"),
        ("PUT", "/b?versioning", b"<VersioningConfiguration>", "MalformedXML"),
        ("PUT", "/b?versioning", b"<V><Status>Perhaps</Status></V>", "MalformedXML"),
        ("POST", "/b?delete", b"<Delete><Object/></Delete>", "MalformedXML"),
        ("POST", "/b?delete", b'<!DOCTYPE d [<!ENTITY a "aa">]><Delete>&a;</Delete>', "MalformedXML"),
        ("POST", "/b?delete", b"<?xml version='1.0' encoding='no-such'?><Delete/>", "MalformedXML"),
        ("POST", "/b", b"", "MethodNotAllowed"),
    ],
)
def test_s3_refuses_by_its_own_codes(method: str, target: str, body: bytes, code: str) -> None:
    with pytest.raises(ServiceError) as caught:
        decode(s3_request(method, target, body), request_id="r")

    assert code == caught.value.code


def test_a_deeply_nested_document_is_no_danger() -> None:
    body = b"<a>" * 100_000 + b"</a>" * 100_000

    with pytest.raises(ServiceError, match="MalformedXML"):
        decode(s3_request("POST", "/b?delete", body), request_id="r")


@pytest.mark.parametrize(
    ("location", "text"), [(None, None), ("", None), ("eu-west-1", "eu-west-1")], ids=["none", "empty", "named"]
)
def test_a_buckets_location_is_the_root_itself(location: str | None, text: str | None) -> None:
    response = s3_answer("GetBucketLocation", {"LocationConstraint": location})

    assert isinstance(response.body, bytes)
    root = ElementTree.fromstring(response.body)
    assert (f"{NS}LocationConstraint", text) == (root.tag, root.text)


def test_list_answers_have_s3s_root_and_keys_encoded_when_they_say_so() -> None:
    output = {"EncodingType": "url", "Prefix": "a b", "Contents": [{"Key": "a b/ü+\x01", "LastModified": MOMENT}]}

    response = s3_answer("ListObjectsV2", output)

    assert isinstance(response.body, bytes)
    root = ElementTree.fromstring(response.body)
    assert f"{NS}ListBucketResult" == root.tag
    assert "a%20b" == root.findtext(f"{NS}Prefix")
    assert "a%20b/%C3%BC%2B%01" == root.findtext(f"{NS}Contents/{NS}Key")
    assert "2026-11-21T02:55:00Z" == root.findtext(f"{NS}Contents/{NS}LastModified")


def test_what_xml_cannot_say_does_not_spoil_the_answer() -> None:
    response = s3_answer("ListObjectsV2", {"Contents": [{"Key": "cr\rlf\nnul\x00"}]})

    assert isinstance(response.body, bytes)
    assert "cr\rlf\nnul\ufffd" == ElementTree.fromstring(response.body).findtext(f"{NS}Contents/{NS}Key")


def test_part_of_an_object_is_a_206_and_headers_are_kept_in_one_line() -> None:
    output = {
        "Body": b"x",
        "ContentRange": "bytes 0-0/9",
        "LastModified": MOMENT,
        "ContentDisposition": "a\r\nSet-Cookie: b",
        "Metadata": {"colour": "blü"},
    }

    response = s3_answer("GetObject", output)

    assert (206, b"x") == (response.status, response.body)
    assert "Sat, 21 Nov 2026 02:55:00 GMT" == response.headers.get("last-modified")
    assert "a  Set-Cookie: b" == response.headers.get("content-disposition")
    assert "bl\u00c3\u00bc" == response.headers.get("x-amz-meta-colour")
    assert "r" == response.headers.get("x-amz-request-id")


def test_answers_without_a_document_have_no_body() -> None:
    assert (204, b"") == (s3_answer("DeleteObject", {}).status, s3_answer("DeleteObject", {}).body)
    assert b"" == s3_answer("PutObject", {"ETag": '"e"'}).body


@pytest.mark.parametrize(("method", "has_body"), [("GET", True), ("HEAD", False)])
def test_an_s3_error_is_a_document_but_for_head(method: str, has_body: bool) -> None:
    error = ServiceError("NoSuchKey", "The specified key does not exist.", members={"Key": "<k>"})

    response = encode_error(error, s3_request(method, "/b/k"), request_id="r")

    assert 404 == response.status
    assert isinstance(response.body, bytes)
    if has_body:
        root = ElementTree.fromstring(response.body)
        found = [(child.tag, child.text) for child in root][:4]
        expected = [("Code", "NoSuchKey"), ("Message", error.message), ("Key", "<k>"), ("RequestId", "r")]
        assert ("Error", expected) == (root.tag, found)
    else:
        assert b"" == response.body


def test_a_runtime_error_has_the_live_services_form() -> None:
    request = HttpRequest("POST", "/endpoints/e/invocations", "", Headers())
    message = "Endpoint e of account 123456789012 not found."
    error = ServiceError("ValidationError", message, members={"ErrorCode": "NO_SUCH_ENDPOINT"})

    response = encode_error(error, request, request_id="r")

    assert 400 == response.status
    named = "ValidationError:http://internal.amazon.com/coral/com.amazon.sagemaker/"
    assert named == response.headers.get("x-amzn-ErrorType")
    assert {"ErrorCode": "NO_SUCH_ENDPOINT", "Message": message} == msgspec.json.decode(response.body)


def cloudwatch(protocol: Protocol) -> HttpRequest:
    prefix = "GraniteServiceVersion20100801"
    if protocol is Protocol.CBOR:
        headers = Headers([("smithy-protocol", "rpc-v2-cbor"), ("x-amzn-query-mode", "true")])
        return HttpRequest("POST", f"/service/{prefix}/operation/ListMetrics", "", headers)
    headers = Headers([("X-Amz-Target", f"{prefix}.ListMetrics"), ("x-amzn-query-mode", "true")])
    return HttpRequest("POST", "/", "", headers)


@pytest.mark.parametrize("protocol", [Protocol.JSON, Protocol.CBOR])
@pytest.mark.parametrize("code", ["InvalidParameterValue", "InvalidParameterValueException"])
def test_clients_of_old_get_the_codes_of_old(protocol: Protocol, code: str) -> None:
    response = encode_error(ServiceError(code, "No."), cloudwatch(protocol), request_id="r")

    assert "InvalidParameterValue;Sender" == response.headers.get("x-amzn-query-error")
    assert isinstance(response.body, bytes)
    assert b"InvalidParameterValueException" in response.body


@pytest.mark.parametrize(
    ("request_", "status", "code"),
    [
        (HttpRequest("POST", "/", "", Headers([("X-Amz-Target", "No.Such")])), 400, "UnknownOperationException"),
        (
            HttpRequest("GET", "/", "", Headers([("X-Amz-Target", "SageMaker.ListEndpoints")])),
            400,
            "UnknownOperationException",
        ),
        (HttpRequest("GET", "/endpoints/e/invocations", "", Headers()), 405, "UnknownOperationException"),
        (HttpRequest("POST", "/endpoints/e/nothing", "", Headers()), 404, "UnknownOperationException"),
        (HttpRequest("POST", "/b", "", Headers()), 405, "MethodNotAllowed"),
    ],
)
def test_an_unknown_operation_is_refused_in_the_callers_protocol(request_: HttpRequest, status: int, code: str) -> None:
    with pytest.raises(ServiceError) as caught:
        decode(request_, request_id="r")
    response = encode_error(caught.value, request_, request_id="r")

    assert (status, code) == (response.status, caught.value.code)
    assert caught.value.message


@pytest.mark.parametrize(
    "body",
    [
        b"\xff",
        b"\x9f" * 100_000,
        b"\x5b\x7f\xff\xff\xff\xff\xff\xff\xff",  # a byte string said to be 2⁶³ bytes long
        b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff",  # a list said to have 2⁶⁴ items
        b"\xa1\x80\x01",  # a list for a key
        b"\xc2\x41\x01",  # a big number
        b"\xa1\x61\xff\x01",  # a key that is not UTF-8
        b"\x01",
    ],
)
def test_forged_cbor_is_a_serialization_error(body: bytes) -> None:
    request = cloudwatch(Protocol.CBOR)
    request.body = body

    with pytest.raises(ServiceError, match="SerializationException"):
        decode(request, request_id="r")


def test_an_event_stream_is_passed_on_as_it_is() -> None:
    service = services.service("sagemaker-runtime")
    operation = service.operation_model("InvokeEndpointWithResponseStream")
    request = HttpRequest("POST", "/endpoints/e/invocations-response-stream", "", Headers())

    response = encode({"Body": b"frames"}, Call(request, "r", Protocol.REST_JSON, service, operation, params={}))

    assert b"frames" == response.body


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "nan", -1e300, 2.6e11])
def test_a_moment_outside_the_calendar_is_a_serialization_error(moment: str | float) -> None:
    fields = Headers([("X-Amz-Target", "SageMaker.ListEndpoints")])
    body = msgspec.json.encode({"CreationTimeAfter": moment})

    with pytest.raises(ServiceError, match=r"SerializationException: .*not a timestamp"):
        decode(HttpRequest("POST", "/", "", fields, body), request_id="r")


def test_a_date_outside_the_calendar_counts_as_absent() -> None:
    request = s3_request("GET", "/b/k", if_modified_since="Fri, 31 Dec 9999 23:59:59 -2359")

    assert {"Bucket": "b", "Key": "k"} == decode(request, request_id="r").params


@pytest.mark.parametrize(
    "request_", [s3_request("GET", "/b/%FF"), s3_request("PUT", "/b?policy", b"\xff")], ids=["path", "body"]
)
def test_bytes_that_are_no_text_are_refused_in_words(request_: HttpRequest) -> None:
    with pytest.raises(ServiceError, match=r"InvalidArgument: The (path|body) is not UTF-8\."):
        decode(request_, request_id="r")

"""The life of a call, over botocore and over bare ASGI."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import ClassVar

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from moorage.api.server import Api
from moorage.api.service import Service, operation
from moorage.api.sts.service import Sts
from moorage.aws.errors import ServiceError
from moorage.store.base import StoreUnavailable
from moorage.system.clock import SystemClock
from moorage.testing.asgi_client import ACCOUNT_ID, InProcess, root_key_ring
from moorage.testing.signing import sign, sign_streaming_upload, signed_chunks


class Bucket(Service):
    """Keeps the last object in memory, once its stream has ended well; and fails on request."""

    name: ClassVar[str] = "s3"

    def __init__(self) -> None:
        self.kept: bytes | None = None
        self.trailers: list[tuple[str, str]] = []
        self.closed = False
        self.failure: Exception | None = None

    @operation("PutObject")
    async def put_object(self, caller, request):
        content = b"".join([piece async for piece in request["Body"]])
        self.kept = content
        self.trailers = request["Body"].trailers.items()
        return {}

    @operation("GetObject")
    async def get_object(self, caller, request):
        if self.failure:
            raise self.failure
        return {"Body": self._pieces(), "ContentLength": 1000}

    @operation("DeleteObjects")
    async def delete_objects(self, caller, request):
        return {"Deleted": [{"Key": entry["Key"]} for entry in request["Delete"]["Objects"]]}

    async def _pieces(self) -> AsyncIterator[bytes]:
        try:
            for _ in range(10):
                yield b"x" * 100
        finally:
            self.closed = True


@pytest.fixture
def bucket() -> Bucket:
    return Bucket()


@pytest.fixture
def aws(bucket: Bucket):
    with InProcess(Api([Sts(), bucket], root_key_ring, clock=SystemClock())) as aws:
        yield aws


def refused(call, **params) -> tuple[int, str, str]:
    with pytest.raises(ClientError) as caught:
        call(**params)
    response = caught.value.response
    assert response["ResponseMetadata"]["RequestId"]
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"], response["Error"]["Message"]


def test_the_caller_is_who_signed(aws: InProcess) -> None:
    answer = aws.client("sts").get_caller_identity()
    expected = (ACCOUNT_ID, ACCOUNT_ID, f"arn:aws:iam::{ACCOUNT_ID}:root")
    assert expected == (answer["Account"], answer["UserId"], answer["Arn"])
    assert answer["ResponseMetadata"]["RequestId"]


def test_health_is_the_only_thing_served_unsigned(aws: InProcess) -> None:
    assert (200, b'{"status":"ok"}') == aws.request("GET", "http://h/health")[::2]
    for method, path in (("POST", "/health"), ("GET", "/health/"), ("GET", "/health?x=1"), ("GET", "/"), ("GET", "/b")):
        assert aws.request(method, f"http://h{path}")[0] in (400, 403)


@pytest.mark.parametrize(
    ("service", "operation_name", "params", "status", "code"),
    [
        ("sagemaker", "list_models", {}, 400, "UnrecognizedClientException"),
        (
            "sagemaker-runtime",
            "invoke_endpoint",
            {"EndpointName": "e", "Body": b""},
            403,
            "UnrecognizedClientException",
        ),
        ("sts", "get_caller_identity", {}, 403, "InvalidClientTokenId"),
        ("s3", "get_object", {"Bucket": "bucket", "Key": "k"}, 403, "InvalidAccessKeyId"),
    ],
)
def test_an_unknown_key_is_refused_in_each_protocols_words(aws, service, operation_name, params, status, code) -> None:
    client = aws.client(service, key_id="AKIDUNKNOWN")
    assert (status, code) == refused(getattr(client, operation_name), **params)[:2]


@pytest.mark.parametrize(
    ("service", "operation_name", "params", "status", "code"),
    [
        ("sagemaker", "list_models", {}, 400, "InvalidSignatureException"),
        ("sts", "get_caller_identity", {}, 403, "SignatureDoesNotMatch"),
        ("s3", "get_object", {"Bucket": "bucket", "Key": "k"}, 403, "SignatureDoesNotMatch"),
    ],
)
def test_a_wrong_secret_is_refused_in_each_protocols_words(aws, service, operation_name, params, status, code) -> None:
    client = aws.client(service, secret="wrong")
    assert (status, code) == refused(getattr(client, operation_name), **params)[:2]


def test_what_is_not_implemented_says_so_by_name(aws: InProcess) -> None:
    status, code, message = refused(aws.client("sts").get_session_token)
    assert (501, "NotImplemented") == (status, code)
    assert "Moorage does not implement sts:GetSessionToken. See docs/coverage.md for what it does." == message


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_uploads_reach_the_handler_as_they_were(aws: InProcess, bucket: Bucket, scheme: str) -> None:
    """Over http botocore signs the body's hash; over https it sends chunks with the checksum behind them."""
    content = bytes(range(256)) * 1000
    aws.client("s3", endpoint_url=f"{scheme}://127.0.0.1:4566").put_object(Bucket="bucket", Key="k", Body=content)
    assert content == bucket.kept
    assert (["x-amz-checksum-crc32"] if scheme == "https" else []) == [name for name, _ in bucket.trailers]


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_presigned_uploads_carry_any_body(aws: InProcess, bucket: Bucket, version: str) -> None:
    client = aws.client("s3", config=Config(signature_version=version))
    url = client.generate_presigned_url("put_object", Params={"Bucket": "bucket", "Key": "a key"})
    assert ("AWSAccessKeyId" in url) == (version == "s3")
    status, _, body = aws.request("PUT", url, headers={"Content-Length": "5"}, body=b"hello")
    assert (200, b"", b"hello") == (status, body, bucket.kept)


@pytest.mark.parametrize("trailer", [None, ("x-amz-checksum-crc32", "NhCmhg==")])
def test_uploads_in_signed_chunks_are_kept_only_if_every_chunk_is_right(aws, bucket, trailer) -> None:
    url = "http://127.0.0.1:4566/bucket/k"
    announced = {"x-amz-trailer": trailer[0]} if trailer else {}
    head = sign_streaming_upload(
        url, headers={"x-amz-decoded-content-length": "10", **announced}, at=SystemClock().now()
    )
    body = signed_chunks(head, [b"hello", b"world"], trailer=trailer)
    headers = {name.decode(): value.decode() for name, value in head.headers} | {"content-length": str(len(body))}
    wrong = body.replace(b"world", b"w0rld")
    assert 403 == aws.request("PUT", url, headers=headers, body=wrong)[0]
    assert bucket.kept is None
    assert 200 == aws.request("PUT", url, headers=headers, body=body)[0]
    assert (b"helloworld", [trailer] if trailer else []) == (bucket.kept, bucket.trailers)


def altered(aws: InProcess, bucket: Bucket, change) -> tuple[int, str, str]:
    """Send an upload that is changed on its way, after it was signed."""
    client = aws.client("s3", alter=change)
    answer = refused(client.put_object, Bucket="bucket", Key="k", Body=b"what was signed")
    assert bucket.kept is None
    return answer


def test_an_upload_that_is_not_the_signed_one_is_not_kept(aws: InProcess, bucket: Bucket) -> None:
    def change(request) -> None:
        request.body = b"what was sent.."

    assert (400, "XAmzContentSHA256Mismatch") == altered(aws, bucket, change)[:2]


def test_an_upload_shorter_than_announced_is_not_kept(aws: InProcess, bucket: Bucket) -> None:
    def change(request) -> None:
        request.body = b"what was"

    assert (400, "IncompleteBody") == altered(aws, bucket, change)[:2]


def test_small_bodies_are_checked_before_the_handler_sees_them(aws: InProcess) -> None:
    keys = {"Objects": [{"Key": "a"}]}
    assert ["a"] == [d["Key"] for d in aws.client("s3").delete_objects(Bucket="bucket", Delete=keys)["Deleted"]]

    def change(request) -> None:
        request.body = request.body.replace(b"<Key>a<", b"<Key>b<")

    client = aws.client("s3", alter=change)
    assert (400, "XAmzContentSHA256Mismatch") == refused(client.delete_objects, Bucket="bucket", Delete=keys)[:2]


def test_bodies_above_the_cap_are_refused_and_the_connection_closed(aws: InProcess) -> None:
    client = aws.client("sagemaker")
    status, code, message = refused(
        client.create_model, ModelName="m", ExecutionRoleArn="r" * 20, Tags=[{"Key": "k", "Value": "v" * 2_000_000}]
    )
    assert (413, "RequestEntityTooLargeException") == (status, code)
    assert "Request body is larger than 1048576 bytes." == message


def test_a_store_that_is_away_is_said_to_be_and_may_be_tried_again(aws, bucket, caplog) -> None:
    bucket.failure = StoreUnavailable("disk full at /var/lib")
    status, code, message = refused(aws.client("s3").get_object, Bucket="bucket", Key="k")
    assert (503, "ServiceUnavailable") == (status, code)
    assert "/var/lib" not in message
    assert "disk full" in caplog.text


def test_our_own_bug_is_logged_with_its_traceback_and_not_told(aws, bucket, caplog) -> None:
    bucket.failure = KeyError("the secret")
    status, code, message = refused(aws.client("s3").get_object, Bucket="bucket", Key="k")
    assert (500, "InternalFailure") == (status, code)
    assert "secret" not in message
    assert ["KeyError"] == [record.exc_info[0].__name__ for record in caplog.records if record.exc_info]


def test_a_handlers_refusal_is_the_answer(aws: InProcess, bucket: Bucket) -> None:
    bucket.failure = ServiceError("NoSuchKey", "The specified key does not exist.")
    assert (404, "NoSuchKey", "The specified key does not exist.") == refused(
        aws.client("s3").get_object, Bucket="bucket", Key="k"
    )


def test_each_call_leaves_a_line_at_debug(aws: InProcess, caplog) -> None:
    with caplog.at_level(logging.DEBUG, "moorage.api.server"):
        aws.client("sts").get_caller_identity()
    assert "sts:GetCallerIdentity: 200 in" in caplog.text


@pytest.mark.parametrize(
    ("size", "headers", "closes"),
    [(100_000, {}, False), (3_000_000, {}, True), (100_000, {"Expect": "100-continue"}, True)],
)
def test_a_body_nobody_wants_is_thrown_away_or_the_connection_closed(aws, size, headers, closes) -> None:
    status, answered, _ = aws.request(
        "PUT", "http://h/bucket/k", headers={"Content-Length": str(size), **headers}, body=b"x" * size
    )
    assert (403, closes) == (status, answered.get("connection") == "close")


class Connection:
    """The server's half of a bare ASGI exchange, with a client that can leave."""

    def __init__(self, messages: list[dict[str, object]]) -> None:
        self.messages = messages
        self.sent: list[dict[str, object]] = []
        self.left = asyncio.Event()

    async def receive(self) -> dict[str, object]:
        if self.messages:
            return self.messages.pop(0)
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message) -> None:
        self.sent.append(message)
        if len(self.sent) == 3:
            self.left.set()
            await asyncio.Event().wait()  # a client that reads no more


def signed_scope(method: str, path: str, body: bytes, *, declared: bytes | None = None) -> dict[str, object]:
    sent = sign(method, f"http://127.0.0.1:4566{path}", service="s3", body=body, at=SystemClock().now())
    return {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": sent.path,
        "query_string": b"",
        "headers": [*sent.headers, (b"content-length", str(len(body)).encode())],
    }


async def test_an_answers_stream_is_closed_when_the_client_leaves(bucket: Bucket) -> None:
    api = Api([bucket], root_key_ring, clock=SystemClock())
    connection = Connection([{"type": "http.request", "body": b"", "more_body": False}])
    async with asyncio.timeout(60):
        await api(signed_scope("GET", "/bucket/k", b""), connection.receive, connection.send)
    assert bucket.closed
    assert 3 == len(connection.sent)


async def test_nobody_is_answered_who_left_in_the_middle_of_an_upload(bucket: Bucket) -> None:
    api = Api([bucket], root_key_ring, clock=SystemClock())
    connection = Connection([{"type": "http.request", "body": b"hal", "more_body": True}])
    connection.left.set()
    scope = signed_scope("PUT", "/bucket/k", b"half")
    await api(scope, connection.receive, connection.send)
    assert (None, []) == (bucket.kept, connection.sent)

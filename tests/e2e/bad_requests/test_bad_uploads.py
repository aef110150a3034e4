"""What the store refuses, and that nothing of it stays."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
from collections.abc import Callable
from typing import Any, Final

import pytest
from botocore.auth import SigV4Auth
from botocore.exceptions import ClientError

from moorage.testing.raw_caller import Heard, RawCaller
from moorage.testing.server import RunningMoorage, eventually

pytestmark = pytest.mark.slow

BOMB: Final = (
    b'<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    b"<Tagging><TagSet><Tag><Key>&b;</Key><Value>1</Value></Tag></TagSet></Tagging>"
)
LEAK: Final = (
    b'<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    b"<Tagging><TagSet><Tag><Key>k</Key><Value>&a;</Value></Tag></TagSet></Tagging>"
)
STORE: Final = [
    (400, "InvalidArgument", "PUT", "/bucket/%FF", b""),
    (400, "KeyTooLongError", "PUT", "/bucket/" + "x" * 1025, b""),
    (400, "InvalidBucketName", "PUT", "/..", b""),
    (400, "InvalidBucketName", "PUT", "/b%2Fc", b""),
    (400, "MalformedXML", "PUT", "/bucket?tagging", BOMB),
    (400, "MalformedXML", "PUT", "/bucket?tagging", LEAK),
    (400, "MalformedXML", "PUT", "/bucket?tagging", b"<a>" * 50_000),
    (400, "MalformedXML", "PUT", "/bucket?tagging", b"no XML"),
    (400, "InvalidArgument", "PUT", "/bucket?policy", b"\xff"),
    (400, "InvalidArgument", "GET", "/bucket?list-type=2&max-keys=many", b""),
    (400, "InvalidArgument", "GET", "/bucket?list-type=2&continuation-token=made-up", b""),
    (400, "InvalidArgument", "GET", "/bucket/k?versionId=..%2F..%2Fx", b""),
    (404, "NoSuchBucket", "GET", "/absent", b""),
    (404, "NoSuchKey", "GET", "/bucket/absent", b""),
    (405, "MethodNotAllowed", "PATCH", "/bucket/k", b""),
]


@pytest.mark.parametrize(
    ("status", "code", "method", "path", "body"), STORE, ids=[f"{row[1]}-{i}" for i, row in enumerate(STORE)]
)
def test_what_the_store_refuses(
    caller: RawCaller, ask: Callable[[bytes], Heard], status: int, code: str, method: str, path: str, body: bytes
) -> None:
    heard = ask(caller.written(caller.signed(method, path, body, service="s3")))

    assert (status, code, True) == (heard.status, heard.code, heard.is_kept)
    assert b"root:" not in heard.body


@pytest.mark.parametrize(
    "key", ["..", "../../x", "/", "//", "a//b", "a/./b", "\0", "a\0b", "\n", "%", "+", "x" * 1024, "é"]
)
def test_any_text_is_a_key_and_none_is_a_path(abused: RunningMoorage, key: str) -> None:
    s3 = abused.client("s3")
    s3.put_object(Bucket="bucket", Key=key, Body=b"value")

    assert b"value" == s3.get_object(Bucket="bucket", Key=key)["Body"].read()
    assert key in [found["Key"] for found in s3.list_objects_v2(Bucket="bucket")["Contents"]]
    s3.delete_object(Bucket="bucket", Key=key)


@pytest.mark.parametrize("path", ["/absent/k", "/bucket/k"])
def test_an_upload_that_will_be_refused_is_not_asked_for(
    caller: RawCaller, ask: Callable[[bytes], Heard], path: str
) -> None:
    secret = caller.secret if path == "/absent/k" else "wrong"
    upload = caller.signed("PUT", path, service="s3", secret=secret)
    heard = ask(caller.written(upload, length=1_000_000_000, extra=[("Expect", "100-continue")]))

    assert (404 if path == "/absent/k" else 403, False) == (heard.status, heard.is_kept)


def test_an_upload_that_breaks_off_in_its_chunks_is_refused_in_xml(
    caller: RawCaller, ask: Callable[[bytes], Heard]
) -> None:
    headers = {
        "X-Amz-Content-SHA256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "X-Amz-Decoded-Content-Length": "1000000",
    }
    upload = caller.signed("PUT", "/bucket/broken", service="s3", headers=headers, signer=SigV4Auth)
    body = b"80000\r\n%b\r\nzz\r\n" % (b"80000\r\n" + b"x" * (0x80000 - 7))
    chunked = [("Transfer-Encoding", "chunked")]
    heard = ask(caller.written(upload, body=body, without=["Content-Length"], extra=chunked))

    assert (400, "MalformedHttpRequestException", False) == (heard.status, heard.code, heard.is_kept)
    assert "application/xml" == heard.fields["content-type"]


@pytest.mark.parametrize("signature", ["0" * 64, ""])
def test_an_upload_with_a_forged_chunk_leaves_nothing(
    abused: RunningMoorage, caller: RawCaller, ask: Callable[[bytes], Heard], signature: str
) -> None:
    headers = {
        "X-Amz-Content-SHA256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "X-Amz-Decoded-Content-Length": "5",
        "Content-Encoding": "aws-chunked",
    }
    upload = caller.signed("PUT", "/bucket/forged", service="s3", headers=headers, signer=SigV4Auth)
    end = f";chunk-signature={signature}\r\n"
    heard = ask(caller.written(upload, body=f"5{end}hello\r\n0{end}\r\n".encode()))

    assert (403, "SignatureDoesNotMatch") == (heard.status, heard.code)
    assert 0 == abused.client("s3").list_objects_v2(Bucket="bucket", Prefix="forged")["KeyCount"]
    assert [] == list((abused.data_dir / "objects" / "incoming").iterdir())


def test_an_upload_in_progress_when_control_dies_is_answered_and_leaves_nothing(
    abused: RunningMoorage, caller: RawCaller
) -> None:
    upload = caller.written(caller.signed("PUT", "/bucket/unfinished", b"x" * 2_000_000, service="s3"))
    host, _, port = caller.host.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=20) as peer:
        peer.sendall(upload[:-1_000_000])
        eventually(lambda: list((abused.data_dir / "objects" / "incoming").iterdir()))
        for pid in abused.pids("control"):
            os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ConnectionError):
            peer.sendall(upload[-1_000_000:])
        assert re.match(rb"HTTP/1\.1 503 ", peer.recv(65_536))

    s3 = abused.client("s3")
    eventually(lambda: _answers(s3.list_buckets))
    assert 0 == s3.list_objects_v2(Bucket="bucket", Prefix="unfinished")["KeyCount"]
    assert [] == list((abused.data_dir / "objects" / "incoming").iterdir())


def _answers(call: Callable[[], Any]) -> bool:
    try:
        call()
    except ClientError:
        return False
    return True

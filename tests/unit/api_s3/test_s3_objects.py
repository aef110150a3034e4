"""Objects, with boto3's default checksums throughout."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.config import Config

from moorage.testing.asgi_client import InProcess
from moorage.testing.refusals import refusal

DATA = hashlib.shake_128(b"seed").digest(200_000)


def body(answer: Any) -> bytes:
    data: bytes = answer["Body"].read()
    return data


def test_an_object_with_all_that_can_be_said_of_it(s3: Any) -> None:
    expires = datetime(2030, 1, 1, tzinfo=UTC)
    said = {
        "ContentType": "text/csv",
        "CacheControl": "max-age=60",
        "ContentDisposition": 'attachment; filename="a.csv"',
        "ContentEncoding": "gzip",
        "ContentLanguage": "de",
        "Metadata": {"colour": "blue"},
    }
    s3.put_object(Bucket="attic", Key="k", Body=DATA, Expires=expires, Tagging="a=b%20c", **said)
    for answer in (s3.head_object(Bucket="attic", Key="k"), s3.get_object(Bucket="attic", Key="k")):
        assert said == {name: answer[name] for name in said}
        assert expires == answer["Expires"]
        assert f'"{hashlib.md5(DATA).hexdigest()}"' == answer["ETag"]
        assert len(DATA) == answer["ContentLength"]
        assert "bytes" == answer["AcceptRanges"]
        assert "VersionId" not in answer
    assert 1 == s3.get_object(Bucket="attic", Key="k")["TagCount"]
    assert DATA == body(s3.get_object(Bucket="attic", Key="k"))


@pytest.mark.parametrize(
    "key", ["a b", "ü/€", "a+b", "x//y", "/lead", "..", "a/../b", "%41", "a&b=c", "'\"<>", "x", "x/y"]
)
def test_any_key_is_a_key(s3: Any, key: str) -> None:
    s3.put_object(Bucket="attic", Key=key, Body=key.encode())
    assert key.encode() == body(s3.get_object(Bucket="attic", Key=key))
    assert [key] == [entry["Key"] for entry in s3.list_objects_v2(Bucket="attic")["Contents"]]
    s3.delete_objects(Bucket="attic", Delete={"Objects": [{"Key": key}]})
    assert 0 == s3.list_objects_v2(Bucket="attic")["KeyCount"]


def test_a_key_and_keys_below_it(s3: Any) -> None:
    for key in ("x", "x/y", "x/y/z"):
        s3.put_object(Bucket="attic", Key=key, Body=key.encode())
    assert b"x" == body(s3.get_object(Bucket="attic", Key="x"))
    assert ("KeyTooLongError", 400) == refusal(s3.put_object, Bucket="attic", Key="k" * 1025, Body=b"")


@pytest.mark.parametrize(
    ("header", "expected", "content_range"),
    [
        ("bytes=0-0", DATA[:1], "bytes 0-0/200000"),
        ("bytes=100-70000", DATA[100:70001], "bytes 100-70000/200000"),
        ("bytes=199999-", DATA[-1:], "bytes 199999-199999/200000"),
        ("bytes=-5", DATA[-5:], "bytes 199995-199999/200000"),
        ("bytes=5-9999999", DATA[5:], "bytes 5-199999/200000"),
    ],
)
@pytest.mark.parametrize("encryption", [{}, {"ServerSideEncryption": "AES256"}])
def test_a_range_comes_without_the_checksum_of_the_whole(
    s3: Any, header: str, expected: bytes, content_range: str, encryption: dict[str, str]
) -> None:
    s3.put_object(Bucket="attic", Key="k", Body=DATA, **encryption)
    answer = s3.get_object(Bucket="attic", Key="k", Range=header, ChecksumMode="ENABLED")
    assert expected == body(answer)  # botocore would raise FlexibleChecksumError
    assert 206 == answer["ResponseMetadata"]["HTTPStatusCode"]
    assert content_range == answer["ContentRange"]
    assert not [name for name in answer if name.startswith("Checksum")]


@pytest.mark.parametrize("header", ["bytes=3-2", "lines=1-2", "bytes=-", "bytes=0-1,4-5"])
def test_a_range_that_is_none_is_ignored(s3: Any, header: str) -> None:
    s3.put_object(Bucket="attic", Key="k", Body=b"hello")
    answer = s3.get_object(Bucket="attic", Key="k", Range=header)
    assert (200, b"hello") == (answer["ResponseMetadata"]["HTTPStatusCode"], body(answer))


def test_a_range_behind_the_end_is_refused(s3: Any) -> None:
    s3.put_object(Bucket="attic", Key="k", Body=b"hello")
    s3.put_object(Bucket="attic", Key="empty", Body=b"")
    assert ("InvalidRange", 416) == refusal(s3.get_object, Bucket="attic", Key="k", Range="bytes=5-")
    assert ("InvalidRange", 416) == refusal(s3.get_object, Bucket="attic", Key="empty", Range="bytes=0-0")


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_checksums_are_verified_kept_and_reported(aws: InProcess, algorithm: str, scheme: str) -> None:
    s3 = aws.client("s3", endpoint_url=f"{scheme}://127.0.0.1:4566")
    field = f"Checksum{algorithm}"
    put = s3.put_object(Bucket="attic", Key="k", Body=DATA, ChecksumAlgorithm=algorithm)
    head = s3.head_object(Bucket="attic", Key="k", ChecksumMode="ENABLED")
    assert put[field] == head[field]
    assert "FULL_OBJECT" == head["ChecksumType"]
    assert field not in s3.head_object(Bucket="attic", Key="k")
    assert DATA == body(s3.get_object(Bucket="attic", Key="k", ChecksumMode="ENABLED"))
    attributes = s3.get_object_attributes(Bucket="attic", Key="k", ObjectAttributes=["Checksum", "ObjectSize", "ETag"])
    assert put[field] == attributes["Checksum"][field]
    assert len(DATA) == attributes["ObjectSize"]
    wrong = {field: base64.b64encode(bytes(len(base64.b64decode(put[field])))).decode()}
    assert ("BadDigest", 400) == refusal(s3.put_object, Bucket="attic", Key="k", Body=b"other", **wrong)
    assert DATA == body(s3.get_object(Bucket="attic", Key="k"))


def test_a_client_without_checksums_gets_crc64nvme(aws: InProcess) -> None:
    s3 = aws.client("s3", config=Config(request_checksum_calculation="when_required"))
    assert "ChecksumCRC64NVME" in s3.put_object(Bucket="attic", Key="k", Body=DATA)


def test_content_that_is_not_as_declared_is_refused(s3: Any) -> None:
    md5 = base64.b64encode(hashlib.md5(b"y").digest()).decode()
    assert ("BadDigest", 400) == refusal(s3.put_object, Bucket="attic", Key="k", Body=b"x", ContentMD5=md5)
    assert ("InvalidDigest", 400) == refusal(s3.put_object, Bucket="attic", Key="k", Body=b"x", ContentMD5="x")
    crc = refusal(s3.put_object, Bucket="attic", Key="k", Body=b"x", ChecksumCRC32="AAAA")
    assert ("InvalidRequest", 400) == crc
    assert ("404", 404) == refusal(s3.head_object, Bucket="attic", Key="k")


def test_what_is_not_there(s3: Any) -> None:
    assert ("NoSuchKey", 404) == refusal(s3.get_object, Bucket="attic", Key="k")
    assert ("404", 404) == refusal(s3.head_object, Bucket="attic", Key="k")
    assert ("NoSuchBucket", 404) == refusal(s3.get_object, Bucket="nowhere", Key="k")
    assert ("NoSuchBucket", 404) == refusal(s3.put_object, Bucket="nowhere", Key="k", Body=b"")
    assert 204 == s3.delete_object(Bucket="attic", Key="k")["ResponseMetadata"]["HTTPStatusCode"]


def test_conditional_writes(s3: Any) -> None:
    etag = s3.put_object(Bucket="attic", Key="k", Body=b"1", IfNoneMatch="*")["ETag"]
    assert ("PreconditionFailed", 412) == refusal(s3.put_object, Bucket="attic", Key="k", Body=b"2", IfNoneMatch="*")
    s3.put_object(Bucket="attic", Key="k", Body=b"2", IfMatch=etag)
    assert ("PreconditionFailed", 412) == refusal(s3.put_object, Bucket="attic", Key="k", Body=b"3", IfMatch=etag)
    assert ("NoSuchKey", 404) == refusal(s3.put_object, Bucket="attic", Key="none", Body=b"3", IfMatch=etag)
    assert ("PreconditionFailed", 412) == refusal(s3.delete_object, Bucket="attic", Key="k", IfMatch=etag)
    assert b"2" == body(s3.get_object(Bucket="attic", Key="k"))


def test_conditional_reads(s3: Any) -> None:
    etag = s3.put_object(Bucket="attic", Key="k", Body=b"1")["ETag"]
    now = s3.head_object(Bucket="attic", Key="k")["LastModified"]
    before, read = now - timedelta(seconds=1), {"Bucket": "attic", "Key": "k"}
    assert ("304", 304) == refusal(s3.get_object, **read, IfNoneMatch=etag)
    assert ("304", 304) == refusal(s3.get_object, **read, IfModifiedSince=now)
    assert ("PreconditionFailed", 412) == refusal(s3.get_object, **read, IfMatch='"other"')
    assert ("PreconditionFailed", 412) == refusal(s3.get_object, **read, IfUnmodifiedSince=before)
    assert b"1" == body(s3.get_object(**read, IfMatch=etag, IfUnmodifiedSince=before))
    assert b"1" == body(s3.get_object(**read, IfNoneMatch='"other"', IfModifiedSince=now))


def test_a_reader_can_override_headers(s3: Any) -> None:
    s3.put_object(Bucket="attic", Key="k", Body=b"1")
    answer = s3.get_object(
        Bucket="attic", Key="k", ResponseContentType="text/html", ResponseContentDisposition="inline"
    )
    assert ("text/html", "inline") == (answer["ContentType"], answer["ContentDisposition"])


def test_many_are_deleted_at_once(s3: Any) -> None:
    for key in ("a", "b"):
        s3.put_object(Bucket="attic", Key=key, Body=b"")
    named = [{"Key": "a"}, {"Key": "b"}, {"Key": "never"}, {"Key": "x", "VersionId": "made-up"}]
    answer = s3.delete_objects(Bucket="attic", Delete={"Objects": named})
    assert ["a", "b", "never"] == [entry["Key"] for entry in answer["Deleted"]]
    assert [("x", "InvalidArgument")] == [(error["Key"], error["Code"]) for error in answer["Errors"]]
    assert "Deleted" not in s3.delete_objects(Bucket="attic", Delete={"Objects": [{"Key": "a"}], "Quiet": True})


def test_tags_of_an_object(s3: Any) -> None:
    s3.put_object(Bucket="attic", Key="k", Body=b"", Tagging="a=1")
    assert [{"Key": "a", "Value": "1"}] == s3.get_object_tagging(Bucket="attic", Key="k")["TagSet"]
    s3.put_object_tagging(Bucket="attic", Key="k", Tagging={"TagSet": [{"Key": "b", "Value": "2"}]})
    assert [{"Key": "b", "Value": "2"}] == s3.get_object_tagging(Bucket="attic", Key="k")["TagSet"]
    s3.delete_object_tagging(Bucket="attic", Key="k")
    assert [] == s3.get_object_tagging(Bucket="attic", Key="k")["TagSet"]
    many = {"TagSet": [{"Key": str(number), "Value": ""} for number in range(11)]}
    assert ("BadRequest", 400) == refusal(s3.put_object_tagging, Bucket="attic", Key="k", Tagging=many)


def test_a_copy_keeps_or_replaces_what_is_said_of_the_object(s3: Any) -> None:
    s3.put_object(Bucket="attic", Key="a b/ü", Body=DATA, ContentType="text/csv", Metadata={"x": "1"}, Tagging="t=1")
    source = {"Bucket": "attic", "Key": "a b/ü"}
    copied = s3.copy_object(Bucket="attic", Key="kept", CopySource=source)
    kept = s3.get_object(Bucket="attic", Key="kept", ChecksumMode="ENABLED")
    assert (DATA, "text/csv", {"x": "1"}, 1) == (body(kept), kept["ContentType"], kept["Metadata"], kept["TagCount"])
    assert copied["CopyObjectResult"]["ETag"] == kept["ETag"]
    s3.copy_object(
        Bucket="attic",
        Key="new",
        CopySource=source,
        MetadataDirective="REPLACE",
        Metadata={"y": "2"},
        TaggingDirective="REPLACE",
        Tagging="u=2&v=3",
        ServerSideEncryption="AES256",
    )
    new = s3.get_object(Bucket="attic", Key="new")
    assert (DATA, {"y": "2"}, 2, "AES256") == (body(new), new["Metadata"], new["TagCount"], new["ServerSideEncryption"])


def test_copies_that_cannot_be(s3: Any) -> None:
    etag = s3.put_object(Bucket="attic", Key="k", Body=b"1")["ETag"]
    source = {"Bucket": "attic", "Key": "k"}
    assert ("InvalidRequest", 400) == refusal(s3.copy_object, Bucket="attic", Key="k", CopySource=source)
    missing = {"Bucket": "attic", "Key": "none"}
    assert ("NoSuchKey", 404) == refusal(s3.copy_object, Bucket="attic", Key="c", CopySource=missing)
    unmet = refusal(s3.copy_object, Bucket="attic", Key="c", CopySource=source, CopySourceIfNoneMatch=etag)
    assert ("PreconditionFailed", 412) == unmet


@pytest.mark.parametrize("signature", ["s3v4", "s3"])
def test_a_presigned_url_is_good_for_what_it_says(aws: InProcess, signature: str) -> None:
    aws.client("s3").put_object(Bucket="attic", Key="a b", Body=b"shared")
    s3 = aws.client("s3", config=Config(signature_version=signature))
    got = aws.request("GET", s3.generate_presigned_url("get_object", Params={"Bucket": "attic", "Key": "a b"}))
    assert (200, b"shared") == (got[0], got[2])
    other = s3.generate_presigned_url("get_object", Params={"Bucket": "attic", "Key": "a b"}).replace("a%20b", "c")
    assert 403 == aws.request("GET", other)[0]
    upload = s3.generate_presigned_url("put_object", Params={"Bucket": "attic", "Key": "up"})
    assert 200 == aws.request("PUT", upload, headers={"content-length": "2"}, body=b"up")[0]
    assert b"up" == body(aws.client("s3").get_object(Bucket="attic", Key="up"))

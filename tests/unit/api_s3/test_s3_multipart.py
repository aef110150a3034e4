"""Uploads in parts."""

from __future__ import annotations

import base64
import hashlib
import io
import zlib
from typing import Any

import pytest
from boto3.s3.transfer import TransferConfig

from moorage.testing.refusals import refusal

MIB = 1024 * 1024
HALF = hashlib.shake_128(b"half").digest(5 * MIB)
TAIL = b"tail"


def begin(s3: Any, **arguments: Any) -> dict[str, Any]:
    upload = s3.create_multipart_upload(Bucket="attic", Key="k", **arguments)
    return {"Bucket": "attic", "Key": "k", "UploadId": upload["UploadId"]}


def upload_parts(s3: Any, upload: dict[str, Any], *parts: bytes, **arguments: Any) -> list[dict[str, Any]]:
    done = []
    for number, data in enumerate(parts, start=1):
        answer = s3.upload_part(**upload, PartNumber=number, Body=data, **arguments)
        checksums = {name: value for name, value in answer.items() if name.startswith("Checksum")}
        done.append({"PartNumber": number, "ETag": answer["ETag"], **checksums})
    return done


@pytest.mark.parametrize("encryption", [{}, {"ServerSideEncryption": "AES256"}])
def test_parts_become_one_object(s3: Any, encryption: dict[str, str]) -> None:
    upload = begin(s3, ContentType="text/plain", Metadata={"x": "1"}, ChecksumAlgorithm="CRC32", **encryption)
    parts = upload_parts(s3, upload, HALF, TAIL)
    done = s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
    digests = hashlib.md5(HALF).digest() + hashlib.md5(TAIL).digest()
    assert f'"{hashlib.md5(digests).hexdigest()}-2"' == done["ETag"]
    crcs = b"".join(zlib.crc32(part).to_bytes(4, "big") for part in (HALF, TAIL))
    composite = base64.b64encode(zlib.crc32(crcs).to_bytes(4, "big")).decode() + "-2"
    assert (composite, "COMPOSITE") == (done["ChecksumCRC32"], done["ChecksumType"])
    answer = s3.get_object(Bucket="attic", Key="k")
    assert HALF + TAIL == answer["Body"].read()
    assert ("text/plain", {"x": "1"}) == (answer["ContentType"], answer["Metadata"])
    assert encryption.get("ServerSideEncryption") == answer.get("ServerSideEncryption")
    across = s3.get_object(Bucket="attic", Key="k", Range=f"bytes={5 * MIB - 2}-{5 * MIB + 1}")
    assert HALF[-2:] + TAIL[:2] == across["Body"].read()
    assert ("NoSuchUpload", 404) == refusal(s3.list_parts, **upload)


def test_parts_can_be_read_by_number(s3: Any) -> None:
    upload = begin(s3)
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": upload_parts(s3, upload, HALF, TAIL)})
    part = s3.get_object(Bucket="attic", Key="k", PartNumber=2)
    assert (TAIL, 2, 206) == (part["Body"].read(), part["PartsCount"], part["ResponseMetadata"]["HTTPStatusCode"])
    assert 5 * MIB == s3.head_object(Bucket="attic", Key="k", PartNumber=1)["ContentLength"]
    assert 416 == refusal(s3.get_object, Bucket="attic", Key="k", PartNumber=3)[1]
    attributes = s3.get_object_attributes(Bucket="attic", Key="k", ObjectAttributes=["ObjectParts"])["ObjectParts"]
    assert [5 * MIB, 4] == [part["Size"] for part in attributes["Parts"]]


def test_a_checksum_of_the_whole_object(s3: Any) -> None:
    upload = begin(s3, ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT")
    parts = upload_parts(s3, upload, HALF, TAIL, ChecksumAlgorithm="CRC32")
    whole = base64.b64encode(zlib.crc32(HALF + TAIL).to_bytes(4, "big")).decode()
    complete = {**upload, "MultipartUpload": {"Parts": parts}, "ChecksumType": "FULL_OBJECT"}
    assert ("BadDigest", 400) == refusal(s3.complete_multipart_upload, **complete, ChecksumCRC32="AAAAAA==")
    assert whole == s3.complete_multipart_upload(**complete, ChecksumCRC32=whole)["ChecksumCRC32"]
    assert HALF + TAIL == s3.get_object(Bucket="attic", Key="k")["Body"].read()
    impossible = {"ChecksumAlgorithm": "SHA256", "ChecksumType": "FULL_OBJECT"}
    assert ("InvalidRequest", 400) == refusal(s3.create_multipart_upload, Bucket="attic", Key="k", **impossible)


def test_completions_that_cannot_be(s3: Any) -> None:
    upload = begin(s3)
    first, second = upload_parts(s3, upload, b"small", TAIL)
    for parts, code in [
        ([second, first], "InvalidPartOrder"),
        ([{**first, "ETag": second["ETag"]}], "InvalidPart"),
        ([{**second, "PartNumber": 7}], "InvalidPart"),
        ([first, second], "EntityTooSmall"),
        ([], "MalformedXML"),
    ]:
        refused = refusal(s3.complete_multipart_upload, **upload, MultipartUpload={"Parts": parts})
        assert (code, 400) == refused
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": [second]})
    assert TAIL == s3.get_object(Bucket="attic", Key="k")["Body"].read()


def test_parts_are_listed_replaced_and_given_up(s3: Any) -> None:
    upload = begin(s3)
    upload_parts(s3, upload, b"1", b"2", b"3")
    s3.upload_part(**upload, PartNumber=2, Body=b"22")
    pages = list(s3.get_paginator("list_parts").paginate(**upload, PaginationConfig={"PageSize": 2}))
    assert [(1, 1), (2, 2), (3, 1)] == [(part["PartNumber"], part["Size"]) for page in pages for part in page["Parts"]]
    listed = s3.list_multipart_uploads(Bucket="attic", Prefix="k")["Uploads"]
    assert [upload["UploadId"]] == [entry["UploadId"] for entry in listed]
    s3.abort_multipart_upload(**upload)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket="attic")
    assert ("NoSuchUpload", 404) == refusal(s3.upload_part, **upload, PartNumber=1, Body=b"")
    assert ("NoSuchUpload", 404) == refusal(s3.abort_multipart_upload, **upload)


def test_uploads_are_listed_in_pages(s3: Any) -> None:
    ids = [s3.create_multipart_upload(Bucket="attic", Key=key)["UploadId"] for key in ("a", "a", "b/1", "b/2")]
    pages = list(s3.get_paginator("list_multipart_uploads").paginate(Bucket="attic", PaginationConfig={"PageSize": 1}))
    assert ids == [entry["UploadId"] for page in pages for entry in page["Uploads"]]
    folded = s3.list_multipart_uploads(Bucket="attic", Delimiter="/")
    assert [{"Prefix": "b/"}] == folded["CommonPrefixes"]


def test_parts_can_be_copied(s3: Any) -> None:
    s3.put_object(Bucket="attic", Key="source", Body=HALF)
    upload = begin(s3)
    source = {"Bucket": "attic", "Key": "source"}
    whole = s3.upload_part_copy(**upload, PartNumber=1, CopySource=source)["CopyPartResult"]["ETag"]
    some = s3.upload_part_copy(**upload, PartNumber=2, CopySource=source, CopySourceRange="bytes=1-3")
    parts = [
        {"PartNumber": 1, "ETag": whole},
        {"PartNumber": 2, "ETag": some["CopyPartResult"]["ETag"]},
    ]
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
    assert HALF + HALF[1:4] == s3.get_object(Bucket="attic", Key="k")["Body"].read()
    outside = {"PartNumber": 3, "CopySource": source, "CopySourceRange": f"bytes=0-{5 * MIB}"}
    assert ("InvalidArgument", 400) == refusal(s3.upload_part_copy, **begin(s3), **outside)


def test_a_condition_is_judged_at_completion(s3: Any) -> None:
    upload = begin(s3)
    parts = upload_parts(s3, upload, TAIL)
    s3.put_object(Bucket="attic", Key="k", Body=b"first come")
    complete = {**upload, "MultipartUpload": {"Parts": parts}}
    assert ("PreconditionFailed", 412) == refusal(s3.complete_multipart_upload, **complete, IfNoneMatch="*")
    s3.complete_multipart_upload(**complete)
    assert TAIL == s3.get_object(Bucket="attic", Key="k")["Body"].read()


def test_boto3s_own_transfers(s3: Any) -> None:
    config = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB, use_threads=False)
    s3.upload_fileobj(io.BytesIO(HALF + TAIL), "attic", "big", Config=config)
    target = io.BytesIO()
    s3.download_fileobj("attic", "big", target, Config=config)
    assert HALF + TAIL == target.getvalue()

"""Versions, delete markers and lists of them."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from moorage.testing.refusals import refusal


@pytest.fixture
def versioned(s3: Any) -> Any:
    s3.put_bucket_versioning(Bucket="attic", VersioningConfiguration={"Status": "Enabled"})
    return s3


def put(s3: Any, data: bytes) -> str:
    version_id: str = s3.put_object(Bucket="attic", Key="k", Body=data)["VersionId"]
    return version_id


def test_versioning_is_off_then_enabled_then_suspended(s3: Any) -> None:
    assert "Status" not in s3.get_bucket_versioning(Bucket="attic")
    for status in ("Enabled", "Suspended"):
        s3.put_bucket_versioning(Bucket="attic", VersioningConfiguration={"Status": status})
        assert status == s3.get_bucket_versioning(Bucket="attic")["Status"]


def test_every_version_can_be_read(versioned: Any) -> None:
    first, second = put(versioned, b"1"), put(versioned, b"2")
    assert b"2" == versioned.get_object(Bucket="attic", Key="k")["Body"].read()
    answer = versioned.get_object(Bucket="attic", Key="k", VersionId=first)
    assert (b"1", first) == (answer["Body"].read(), answer["VersionId"])
    copied = versioned.copy_object(
        Bucket="attic", Key="k", CopySource={"Bucket": "attic", "Key": "k", "VersionId": first}
    )
    assert first == copied["CopySourceVersionId"]
    assert second != copied["VersionId"]
    assert b"1" == versioned.get_object(Bucket="attic", Key="k")["Body"].read()


def test_a_delete_marker_hides_and_its_removal_shows(versioned: Any) -> None:
    version = put(versioned, b"1")
    deleted = versioned.delete_object(Bucket="attic", Key="k")
    assert deleted["DeleteMarker"]
    with pytest.raises(ClientError) as caught:
        versioned.get_object(Bucket="attic", Key="k")
    headers = caught.value.response["ResponseMetadata"]["HTTPHeaders"]
    assert "NoSuchKey" == caught.value.response["Error"]["Code"]
    assert ("true", deleted["VersionId"]) == (headers["x-amz-delete-marker"], headers["x-amz-version-id"])
    marker = refusal(versioned.get_object, Bucket="attic", Key="k", VersionId=deleted["VersionId"])
    assert ("MethodNotAllowed", 405) == marker
    assert b"1" == versioned.get_object(Bucket="attic", Key="k", VersionId=version)["Body"].read()
    removed = versioned.delete_object(Bucket="attic", Key="k", VersionId=deleted["VersionId"])
    assert removed["DeleteMarker"]
    assert b"1" == versioned.get_object(Bucket="attic", Key="k")["Body"].read()


def test_the_null_version_comes_from_before_and_from_pauses(s3: Any) -> None:
    s3.put_object(Bucket="attic", Key="k", Body=b"before")
    s3.put_bucket_versioning(Bucket="attic", VersioningConfiguration={"Status": "Enabled"})
    put(s3, b"kept")
    assert b"before" == s3.get_object(Bucket="attic", Key="k", VersionId="null")["Body"].read()
    s3.put_bucket_versioning(Bucket="attic", VersioningConfiguration={"Status": "Suspended"})
    assert "null" == put(s3, b"paused")
    assert b"paused" == s3.get_object(Bucket="attic", Key="k", VersionId="null")["Body"].read()
    ids = [version["VersionId"] for version in s3.list_object_versions(Bucket="attic")["Versions"]]
    assert (2, "null") == (len(ids), ids[0])


def test_versions_that_are_not(versioned: Any) -> None:
    put(versioned, b"1")
    assert ("InvalidArgument", 400) == refusal(versioned.get_object, Bucket="attic", Key="k", VersionId="made-up")
    assert ("NoSuchVersion", 404) == refusal(versioned.get_object, Bucket="attic", Key="k", VersionId="A" * 32)


def test_a_list_of_versions_in_pages(versioned: Any) -> None:
    ids = [put(versioned, b"%d" % number) for number in range(3)]
    marker = versioned.delete_object(Bucket="attic", Key="k")["VersionId"]
    versioned.put_object(Bucket="attic", Key="dir/x", Body=b"")
    pages = versioned.get_paginator("list_object_versions").paginate(
        Bucket="attic", Delimiter="/", PaginationConfig={"PageSize": 2}
    )
    seen = list(pages)
    assert ["dir/"] == [stem["Prefix"] for page in seen for stem in page.get("CommonPrefixes", [])]
    versions = [version for page in seen for version in page.get("Versions", [])]
    assert list(reversed(ids)) == [version["VersionId"] for version in versions]
    assert not any(version["IsLatest"] for version in versions)
    [entry] = [entry for page in seen for entry in page.get("DeleteMarkers", [])]
    assert (marker, True) == (entry["VersionId"], entry["IsLatest"])


def test_deleting_many_makes_markers_and_removes_them(versioned: Any) -> None:
    put(versioned, b"1")
    [deleted] = versioned.delete_objects(Bucket="attic", Delete={"Objects": [{"Key": "k"}]})["Deleted"]
    assert deleted["DeleteMarker"]
    again = {"Objects": [{"Key": "k", "VersionId": deleted["DeleteMarkerVersionId"]}]}
    [removed] = versioned.delete_objects(Bucket="attic", Delete=again)["Deleted"]
    assert deleted["DeleteMarkerVersionId"] == removed["DeleteMarkerVersionId"]
    assert b"1" == versioned.get_object(Bucket="attic", Key="k")["Body"].read()

"""Buckets and what is set on them."""

from __future__ import annotations

from typing import Any

import pytest

from moorage.testing.asgi_client import InProcess
from moorage.testing.refusals import refusal


def test_a_bucket_is_created_listed_and_deleted(s3: Any) -> None:
    s3.create_bucket(Bucket="cellar")
    assert ["attic", "cellar"] == [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
    s3.delete_bucket(Bucket="cellar")
    assert ("404", 404) == refusal(s3.head_bucket, Bucket="cellar")
    assert ("NoSuchBucket", 404) == refusal(s3.delete_bucket, Bucket="cellar")


def test_creating_a_bucket_again_is_forgiven_in_us_east_1_only(aws: InProcess, s3: Any) -> None:
    s3.create_bucket(Bucket="attic")
    ireland = aws.client("s3", region="eu-west-1")
    there = {"LocationConstraint": "eu-west-1"}
    ireland.create_bucket(Bucket="dublin", CreateBucketConfiguration=there)
    again = refusal(ireland.create_bucket, Bucket="dublin", CreateBucketConfiguration=there)
    assert ("BucketAlreadyOwnedByYou", 409) == again


def test_a_bucket_is_where_it_says(aws: InProcess, s3: Any) -> None:
    ireland = aws.client("s3", region="eu-west-1")
    assert ("IllegalLocationConstraintException", 400) == refusal(ireland.create_bucket, Bucket="dublin")
    ireland.create_bucket(Bucket="dublin", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    assert "eu-west-1" == s3.get_bucket_location(Bucket="dublin")["LocationConstraint"]
    assert "eu-west-1" == s3.head_bucket(Bucket="dublin")["BucketRegion"]
    assert s3.get_bucket_location(Bucket="attic")["LocationConstraint"] is None


@pytest.mark.parametrize("name", ["Attic", "at", "-attic", "attic-", "a..b", "a.-b", "192.168.0.1", "xn--attic", "a_b"])
def test_a_bad_bucket_name_is_refused(aws: InProcess, name: str) -> None:
    s3 = aws.client("s3")
    assert ("InvalidBucketName", 400) == refusal(s3.create_bucket, Bucket=name)


def test_buckets_come_in_pages(s3: Any) -> None:
    for number in range(4):
        s3.create_bucket(Bucket=f"page-{number}")
    pages = list(s3.get_paginator("list_buckets").paginate(Prefix="page-", PaginationConfig={"PageSize": 3}))
    assert [3, 1] == [len(page["Buckets"]) for page in pages]
    assert ("InvalidArgument", 400) == refusal(s3.list_buckets, ContinuationToken="bWFkZSB1cCBieSBzb21lYm9keQ==")


def test_a_bucket_with_anything_in_it_stays(s3: Any) -> None:
    s3.put_bucket_versioning(Bucket="attic", VersioningConfiguration={"Status": "Enabled"})
    s3.delete_object(Bucket="attic", Key="never-there")
    assert ("BucketNotEmpty", 409) == refusal(s3.delete_bucket, Bucket="attic")


def test_encryption_by_default_is_reported_and_ends(s3: Any) -> None:
    absent = refusal(s3.get_bucket_encryption, Bucket="attic")
    assert ("ServerSideEncryptionConfigurationNotFoundError", 404) == absent
    rules = [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}]
    s3.put_bucket_encryption(Bucket="attic", ServerSideEncryptionConfiguration={"Rules": rules})
    assert rules == s3.get_bucket_encryption(Bucket="attic")["ServerSideEncryptionConfiguration"]["Rules"]
    assert "AES256" == s3.put_object(Bucket="attic", Key="k", Body=b"x")["ServerSideEncryption"]
    assert "AES256" == s3.head_object(Bucket="attic", Key="k")["ServerSideEncryption"]
    s3.delete_bucket_encryption(Bucket="attic")
    assert "ServerSideEncryption" not in s3.put_object(Bucket="attic", Key="k", Body=b"x")


def test_what_is_not_to_be_had_is_refused(s3: Any) -> None:
    kms = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]}
    for call, arguments in [
        (s3.put_bucket_encryption, {"ServerSideEncryptionConfiguration": kms}),
        (s3.put_object, {"Key": "k", "ServerSideEncryption": "aws:kms"}),
        (s3.put_object, {"Key": "k", "ACL": "public-read"}),
        (s3.put_object, {"Key": "k", "StorageClass": "GLACIER"}),
        (s3.put_bucket_policy, {"Policy": "{}"}),
        (s3.put_bucket_website, {"WebsiteConfiguration": {"IndexDocument": {"Suffix": "index.html"}}}),
    ]:
        assert ("NotImplemented", 501) == refusal(call, Bucket="attic", **arguments)


def test_somebody_elses_bucket_is_not_ours(s3: Any) -> None:
    assert ("403", 403) == refusal(s3.head_bucket, Bucket="attic", ExpectedBucketOwner="999999999999")


def test_tags_of_a_bucket(s3: Any) -> None:
    assert ("NoSuchTagSet", 404) == refusal(s3.get_bucket_tagging, Bucket="attic")
    tags = [{"Key": "team", "Value": "a"}, {"Key": "cost", "Value": ""}]
    s3.put_bucket_tagging(Bucket="attic", Tagging={"TagSet": tags})
    assert tags == s3.get_bucket_tagging(Bucket="attic")["TagSet"]
    s3.delete_bucket_tagging(Bucket="attic")
    assert ("NoSuchTagSet", 404) == refusal(s3.get_bucket_tagging, Bucket="attic")
    twice = {"TagSet": [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]}
    assert ("InvalidTag", 400) == refusal(s3.put_bucket_tagging, Bucket="attic", Tagging=twice)


def test_public_access_block_and_ownership_are_kept(s3: Any) -> None:
    block = {
        "BlockPublicAcls": True,
        "IgnorePublicAcls": True,
        "BlockPublicPolicy": True,
        "RestrictPublicBuckets": False,
    }
    s3.put_public_access_block(Bucket="attic", PublicAccessBlockConfiguration=block)
    assert block == s3.get_public_access_block(Bucket="attic")["PublicAccessBlockConfiguration"]
    controls = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    s3.put_bucket_ownership_controls(Bucket="attic", OwnershipControls=controls)
    assert controls == s3.get_bucket_ownership_controls(Bucket="attic")["OwnershipControls"]


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        ("get_bucket_policy", "NoSuchBucketPolicy"),
        ("get_bucket_cors", "NoSuchCORSConfiguration"),
        ("get_bucket_website", "NoSuchWebsiteConfiguration"),
        ("get_bucket_lifecycle_configuration", "NoSuchLifecycleConfiguration"),
        ("get_bucket_replication", "ReplicationConfigurationNotFoundError"),
        ("get_object_lock_configuration", "ObjectLockConfigurationNotFoundError"),
    ],
)
def test_what_is_never_set_is_absent(s3: Any, operation: str, code: str) -> None:
    assert (code, 404) == refusal(getattr(s3, operation), Bucket="attic")
    assert ("NoSuchBucket", 404) == refusal(getattr(s3, operation), Bucket="nowhere")


def test_readers_of_every_setting_get_an_answer(s3: Any) -> None:
    assert "BucketOwner" == s3.get_bucket_request_payment(Bucket="attic")["Payer"]
    assert "FULL_CONTROL" == s3.get_bucket_acl(Bucket="attic")["Grants"][0]["Permission"]
    assert "LoggingEnabled" not in s3.get_bucket_logging(Bucket="attic")
    assert "Status" not in s3.get_bucket_accelerate_configuration(Bucket="attic")
    s3.get_bucket_notification_configuration(Bucket="attic")

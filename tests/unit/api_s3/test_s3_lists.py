"""Lists of objects in both versions of the operation."""

from __future__ import annotations

from typing import Any

import pytest

from moorage.testing.refusals import refusal

KEYS = ["a.txt", "dir/1", "dir/2", "dir/sub/3", "other dir/4+ü", "z"]


@pytest.fixture
def filled(s3: Any) -> Any:
    for key in KEYS:
        s3.put_object(Bucket="attic", Key=key, Body=key.encode())
    return s3


@pytest.mark.parametrize("operation", ["list_objects", "list_objects_v2"])
@pytest.mark.parametrize("size", [1, 2, 1000])
def test_pages_of_every_size_add_up(filled: Any, operation: str, size: int) -> None:
    pages = list(filled.get_paginator(operation).paginate(Bucket="attic", PaginationConfig={"PageSize": size}))
    assert KEYS == [entry["Key"] for page in pages for entry in page["Contents"]]
    folded = list(
        filled.get_paginator(operation).paginate(Bucket="attic", Delimiter="/", PaginationConfig={"PageSize": size})
    )
    assert ["a.txt", "z"] == [entry["Key"] for page in folded for entry in page.get("Contents", [])]
    assert ["dir/", "other dir/"] == [stem["Prefix"] for page in folded for stem in page.get("CommonPrefixes", [])]


def test_a_prefix_and_what_lies_below_it(filled: Any) -> None:
    answer = filled.list_objects_v2(Bucket="attic", Prefix="dir/", Delimiter="/")
    assert ["dir/1", "dir/2"] == [entry["Key"] for entry in answer["Contents"]]
    assert [{"Prefix": "dir/sub/"}] == answer["CommonPrefixes"]
    assert 3 == answer["KeyCount"]


def test_a_list_can_begin_behind_a_key_and_name_the_owner(filled: Any) -> None:
    answer = filled.list_objects_v2(Bucket="attic", StartAfter="dir/sub/3", FetchOwner=True)
    assert KEYS[4:] == [entry["Key"] for entry in answer["Contents"]]
    assert 64 == len(answer["Contents"][0]["Owner"]["ID"])
    assert len(KEYS[4].encode()) == answer["Contents"][0]["Size"]


def test_a_token_is_ours_and_for_its_bucket_alone(filled: Any) -> None:
    token = filled.list_objects_v2(Bucket="attic", MaxKeys=1)["NextContinuationToken"]
    filled.create_bucket(Bucket="cellar")
    for bucket, bad in (("cellar", token), ("attic", token[:-4] + "AAA="), ("attic", "dir/1")):
        assert ("InvalidArgument", 400) == refusal(filled.list_objects_v2, Bucket=bucket, ContinuationToken=bad)


def test_a_list_of_nothing(s3: Any) -> None:
    answer = s3.list_objects_v2(Bucket="attic")
    assert (0, False) == (answer["KeyCount"], answer["IsTruncated"])
    assert "Contents" not in answer
    assert 0 == s3.list_objects_v2(Bucket="attic", MaxKeys=0)["KeyCount"]

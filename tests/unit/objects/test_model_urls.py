"""The URLs that SageMaker takes for places in S3."""

from __future__ import annotations

import pytest

from moorage.objects.model_urls import ObjectLocation, parse_model_url, parse_place


@pytest.mark.parametrize(
    ("url", "bucket", "key"),
    [
        ("s3://b/k/with/slashes", "b", "k/with/slashes"),
        ("https://b.s3.eu-west-1.amazonaws.com/k%20y", "b", "k y"),
        ("https://b.with.dots.s3.amazonaws.com/k", "b.with.dots", "k"),
        ("https://s3.us-west-2.amazonaws.com/b/k", "b", "k"),
        ("https://s3-us-west-2.amazonaws.com/b/k", "b", "k"),
    ],
)
def test_urls_of_objects(url: str, bucket: str, key: str) -> None:
    assert ObjectLocation(bucket, key) == parse_model_url(url) == parse_place(url)


@pytest.mark.parametrize("url", ["https://example.com/b/k", "http://s3.amazonaws.com/b/k", "s3:///k", "b/k", ""])
def test_urls_of_anything_else(url: str) -> None:
    assert parse_model_url(url) is None
    assert parse_place(url) is None


@pytest.mark.parametrize("url", ["s3://b", "s3://b/", "https://b.s3.amazonaws.com/"])
def test_a_bucket_is_a_place_and_no_object(url: str) -> None:
    assert ObjectLocation("b", "") == parse_place(url)
    assert parse_model_url(url) is None

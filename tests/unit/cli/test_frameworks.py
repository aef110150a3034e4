"""Which image `--framework` means."""

from importlib import metadata

import pytest

from moorage.cli.deploy.frameworks import image_uri
from moorage.cli.failures import Failure

REPOSITORY = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-scikit-learn"


def uri(framework: str) -> str:
    return image_uri(framework, account_id="123456789012", region="eu-west-1")


def test_a_version_is_taken_as_given() -> None:
    assert f"{REPOSITORY}:1.2-1-cpu-py3" == uri("sklearn:1.2-1")


def test_without_a_version_it_is_the_installed_one() -> None:
    major, minor, *_ = metadata.version("scikit-learn").split(".")

    assert f"{REPOSITORY}:{major}.{minor}-1-cpu-py3" == uri("sklearn")


def test_an_unknown_framework_is_refused_with_the_known_ones() -> None:
    with pytest.raises(Failure, match="known: sklearn"):
        uri("caffe:1")

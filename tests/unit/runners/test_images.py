from importlib.util import find_spec
from itertools import pairwise

import pytest

from moorage.runners.process.images import FRAMEWORKS, UnknownImage, requirements, resolve
from moorage.runners.process.images.catalogue import AWS_TAGS, OLDER_RELEASES, REPOSITORIES

_SCIKIT_LEARN = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn"
_DEEP_LEARNING = "763104351884.dkr.ecr.us-west-2.amazonaws.com"


@pytest.mark.parametrize(
    ("image", "version"),
    [
        (f"{_SCIKIT_LEARN}:1.2-1-cpu-py3", "1.2.1"),
        ("450853457545.dkr.ecr.cn-north-1.amazonaws.com.cn/sagemaker-scikit-learn:0.23-1-cpu-py3", "0.23.2"),
        ("246618743249.dkr.ecr-fips.us-gov-west-1.amazonaws.com/sagemaker-scikit-learn:0.20.0-cpu-py3", "0.20.0"),
        ("833128469047.dkr.ecr.us-iso-east-1.c2s.ic.gov/sagemaker-scikit-learn:1.4-2", "1.4.2"),
        ("683313688378.dkr-ecr.us-east-1.on.aws/sagemaker-scikit-learn:1.0-1-cpu-py3", "1.0.2"),
        ("sagemaker-scikit-learn:1.2-1", "1.2.1"),
        ("sagemaker-scikit-learn", None),
        ("sagemaker-scikit-learn:latest", None),
        ("moorage/scikit-learn:1.5", "1.5"),
        ("moorage/scikit-learn:1.5.2", "1.5.2"),
        ("moorage/scikit-learn@sha256:" + "a" * 64, None),
    ],
)
def test_framework_images_of_any_registry(image, version):
    found = resolve(image)
    assert ("scikit-learn", version) == (found.framework.package, found.version)


@pytest.mark.parametrize(
    ("image", "framework", "version"),
    [
        ("sagemaker-xgboost:1.7-1", "xgboost", "1.7.4"),
        ("sagemaker-xgboost:3.0-5-cpu-py3", "xgboost", "3.0.5"),
        ("811284229777.dkr.ecr.us-east-1.amazonaws.com/xgboost:1", "xgboost", "0.72"),
        ("xgboost:latest", "xgboost", None),
        (f"{_DEEP_LEARNING}/pytorch-inference:2.1.0-cpu-py310-ubuntu20.04-sagemaker", "pytorch", "2.1.0"),
        (f"{_DEEP_LEARNING}/pytorch-inference:2.6-gpu-py312", "pytorch", "2.6"),
        ("public.ecr.aws/deep-learning-containers/pytorch-inference:2.6.0-cpu-py312", "pytorch", "2.6.0"),
        (f"{_DEEP_LEARNING}/tensorflow-inference:2.14.1-cpu", "tensorflow", "2.14.1"),
        ("moorage/lightgbm:4.6", "lightgbm", "4.6"),
        ("moorage/onnx", "onnx", None),
        ("moorage/huggingface:4.57.6", "huggingface", "4.57.6"),
        ("081325390199.dkr.ecr.us-east-1.amazonaws.com/sagemaker-base-python:1.0", "python", None),
    ],
)
def test_every_framework_has_its_images(image, framework, version):
    found = resolve(image)
    assert (framework, version) == (found.framework.name, found.version)


def test_a_hugging_face_tag_begins_with_the_version_of_pytorch():
    found = resolve(f"{_DEEP_LEARNING}/huggingface-pytorch-inference:2.1.0-transformers4.37.0-cpu-py310-ubuntu22.04")
    assert ("4.37.0", (("torch", "2.1.0"),), "3.10") == (found.version, found.companions, found.python)
    assert {"transformers==4.37.0", "torch==2.1.0", "numpy<2"} <= set(requirements(found))


@pytest.mark.parametrize(
    ("image", "python"),
    [
        (f"{_SCIKIT_LEARN}:1.2-1-cpu-py3", None),
        (f"{_SCIKIT_LEARN}:1.4-2-py312", "3.12"),
        (f"{_DEEP_LEARNING}/pytorch-inference:1.13.1-cpu-py39-ubuntu20.04-sagemaker", "3.9"),
        ("moorage/python:3.12", "3.12"),
        ("moorage/python:3.12.1", "3.12"),
        ("moorage/python", None),
    ],
)
def test_the_python_that_a_tag_asks_for(image, python):
    assert python == resolve(image).python


@pytest.mark.parametrize(
    ("tag", "is_gpu"),
    [
        ("2.1.0-gpu-py310-cu118-ubuntu20.04-sagemaker", True),
        ("2.1.0-cpu-py310-ubuntu20.04-sagemaker", False),
        ("2.1.0-cu118", True),
    ],
)
def test_an_image_for_gpus_says_that_it_runs_on_the_cpu(tag, is_gpu):
    assert is_gpu == any("CPU" in note for note in resolve(f"pytorch-inference:{tag}").notes)


@pytest.mark.parametrize(
    "image",
    [
        "example.com/own-image:1",
        "123456789012.dkr.ecr.us-east-1.amazonaws.com/sagemaker-sklearn-inference:latest",
        "evil.com/sagemaker-scikit-learn:1.2-1",
        "public.ecr.aws/sagemaker-scikit-learn:1.2-1",
        "sagemaker-scikit-learn:1.2-1 ",
        "",
    ],
)
def test_other_images_are_named(image):
    with pytest.raises(UnknownImage, match="Docker runner") as caught:
        resolve(image)
    assert image in str(caught.value)


@pytest.mark.parametrize("image", ["sagemaker-scikit-learn:mine", "moorage/python:three", "pytorch-inference:v2.1"])
def test_a_tag_without_a_version_is_not_guessed_at(image):
    with pytest.raises(UnknownImage, match="has to begin with a version") as caught:
        resolve(image)
    assert image in str(caught.value)


@pytest.mark.parametrize(
    ("image", "lines"),
    [
        ("moorage/scikit-learn", {"scikit-learn", "numpy"}),
        ("moorage/scikit-learn:1.6", {"scikit-learn==1.6.*", "numpy"}),
        ("sagemaker-scikit-learn:1.2-1", {"scikit-learn==1.2.1", "numpy<2"}),
        ("moorage/scikit-learn:1.4.1", {"scikit-learn==1.4.1", "numpy<2"}),
        ("sagemaker-scikit-learn:1.4-2", {"scikit-learn==1.4.2", "numpy"}),
        ("sagemaker-xgboost:3.0-5", {"xgboost-cpu==3.0.5", "numpy"}),
        ("moorage/xgboost:2.1.0", {"xgboost==2.1.0", "numpy"}),
        ("sagemaker-xgboost:1.7-1", {"xgboost==1.7.4", "numpy<2"}),
        ("moorage/pytorch:2.2", {"torch==2.2.*", "numpy<2"}),
        ("moorage/python:3.12", {"numpy", "pandas"}),
    ],
)
def test_what_is_installed_for_an_image(image, lines):
    asked = requirements(resolve(image))
    assert lines <= set(asked)
    assert 1 == sum(line.startswith("numpy") for line in asked)


@pytest.mark.parametrize(
    ("image", "installed", "fits"),
    [
        ("sagemaker-scikit-learn:1.2-1", {"scikit-learn": "1.2.2"}, True),
        ("sagemaker-scikit-learn:1.2-1", {"scikit-learn": "1.9.1"}, False),
        ("sagemaker-scikit-learn:1.2-1", {}, False),
        ("sagemaker-scikit-learn", {"scikit-learn": "1.9.1"}, True),
        ("sagemaker-scikit-learn", {}, False),
        ("moorage/pytorch:2.13", {"torch": "2.13.0+cpu"}, True),
        ("sagemaker-xgboost:3.0-5", {"xgboost": "3.0.2"}, True),
        ("sagemaker-xgboost:3.0-5", {"xgboost-cpu": "3.0.2"}, True),
        ("huggingface-pytorch-inference:2.1.0-transformers4.37.0", {"transformers": "4.37.1", "torch": "2.1.2"}, True),
        ("huggingface-pytorch-inference:2.1.0-transformers4.37.0", {"transformers": "4.37.1", "torch": "2.2.0"}, False),
        ("moorage/python", {}, True),
        ("moorage/python:3.11", {}, True),
        ("moorage/python:3.12", {}, False),
        ("sagemaker-scikit-learn:1.4-2-py312", {"scikit-learn": "1.4.2"}, True),
    ],
)
def test_an_environment_fits_within_a_minor_release(image, installed, fits):
    assert fits == resolve(image).fits(installed, python="3.11")


@pytest.mark.parametrize(("repository", "tag"), [(name, tag) for name, tags in AWS_TAGS.items() for tag in tags])
def test_a_listed_tag_means_what_is_listed_whatever_follows_it(repository, tag):
    assert repository in REPOSITORIES
    version = AWS_TAGS[repository][tag]
    assert {version} == {resolve(f"{repository}:{tag}{rest}").version for rest in ("", "-cpu", "-cpu-py3")}


@pytest.mark.parametrize("framework", FRAMEWORKS, ids=lambda framework: framework.name)
def test_the_runtime_serves_every_framework_there_are_images_of(framework):
    assert find_spec(f"moorage.runtime.frameworks.{framework.name}") is not None
    assert framework in REPOSITORIES.values()


@pytest.mark.parametrize(
    ("package", "rules"), OLDER_RELEASES.items(), ids=lambda each: each if isinstance(each, str) else ""
)
def test_no_rule_for_older_releases_holds_for_newer_ones(package, rules):
    """Each states all that holds for its releases, so that what holds for newer ones is stated again."""
    assert package in {framework.package for framework in FRAMEWORKS}
    newest_first = sorted(rules, key=lambda rule: rule.below, reverse=True)
    for newer, older in pairwise(newest_first):
        assert dict(newer.requirements).keys() <= dict(older.requirements).keys()
        assert older.package == (newer.package or older.package)

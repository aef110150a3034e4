import pytest

from moorage.runners.process.images import UnknownImage, mismatch, resolve


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3", "1.2"),
        ("450853457545.dkr.ecr.cn-north-1.amazonaws.com.cn/sagemaker-scikit-learn:0.23-1-cpu-py3", "0.23"),
        ("246618743249.dkr.ecr-fips.us-gov-west-1.amazonaws.com/sagemaker-scikit-learn:0.20.0-cpu-py3", "0.20.0"),
        ("833128469047.dkr.ecr.us-iso-east-1.c2s.ic.gov/sagemaker-scikit-learn:1.4-2", "1.4"),
        ("sagemaker-scikit-learn:1.2-1", "1.2"),
        ("sagemaker-scikit-learn", None),
        ("sagemaker-scikit-learn:latest", None),
        ("moorage/scikit-learn:1.5", "1.5"),
        ("moorage/scikit-learn@sha256:" + "a" * 64, None),
    ],
)
def test_framework_images_of_any_registry(image, version):
    found = resolve(image)
    assert ("scikit-learn", version) == (found.framework.package, found.version)


@pytest.mark.parametrize(
    "image",
    [
        "example.com/own-image:1",
        "123456789012.dkr.ecr.us-east-1.amazonaws.com/sagemaker-sklearn-inference:latest",
        "evil.com/sagemaker-scikit-learn:1.2-1",
        "sagemaker-scikit-learn:1.2-1 ",
        "",
    ],
)
def test_other_images_are_named(image):
    with pytest.raises(UnknownImage, match="Docker runner") as caught:
        resolve(image)
    assert image in str(caught.value)


@pytest.mark.parametrize(
    ("wanted", "installed", "differs"),
    [("1.2-1", "1.2.2", False), ("1.2-1", "1.9.1", True), ("1.2.1", "1.2.9", False), ("latest", "1.9.1", False)],
)
def test_a_version_of_another_minor_release_is_said(wanted, installed, differs):
    said = mismatch(resolve(f"sagemaker-scikit-learn:{wanted}"), installed)
    assert differs == (said is not None and installed in said)

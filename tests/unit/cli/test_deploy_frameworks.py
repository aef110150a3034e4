"""Which framework a model's files tell, and which image it means."""

from importlib import metadata
from pathlib import Path

import pytest

from moorage.cli.deploy.frameworks import image_uri, told_by
from moorage.cli.failures import Failure
from moorage.runners.process.images import resolve

REPOSITORY = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-scikit-learn"


def uri(framework: str) -> str:
    return image_uri(framework, account_id="123456789012", region="eu-west-1")


def test_a_version_is_taken_as_given() -> None:
    assert f"{REPOSITORY}:1.2-1-cpu-py3" == uri("sklearn:1.2-1")


def test_without_a_version_it_is_the_installed_one() -> None:
    major, minor, *_ = metadata.version("scikit-learn").split(".")

    assert f"{REPOSITORY}:{major}.{minor}-cpu-py3" == uri("sklearn")


@pytest.mark.parametrize(
    "name", ["sklearn", "xgboost", "lightgbm", "onnx", "pytorch", "tensorflow", "huggingface", "python"]
)
def test_the_image_of_every_framework_is_one_of_it(name: str) -> None:
    assert name == resolve(uri(name)).framework.name
    wanted = resolve(uri(f"{name}:3.1"))
    assert "3.1" == (wanted.python if name == "python" else wanted.version)


@pytest.mark.parametrize(
    ("files", "framework"),
    [
        (["forest.pkl"], "sklearn"),
        (["model.onnx"], "onnx"),
        (["model.pt", "code"], "pytorch"),
        (["model.safetensors", "config.json"], "huggingface"),
        (["model.onnx", "scaler.pkl"], "sklearn"),
        (["saved_model.pb", "variables"], "tensorflow"),
        (["xgboost-model", "notes.txt"], "xgboost"),
        (["forest.pkl", "metadata.json", "notes.txt"], "sklearn"),
        (["readme.txt"], "sklearn"),
    ],
)
def test_files_of_a_folder_tell_the_framework(tmp_path: Path, files: list[str], framework: str) -> None:
    for name in files:
        (tmp_path / name).touch()
    assert framework == told_by(tmp_path)


@pytest.mark.parametrize(
    ("name", "framework"),
    [
        ("forest.pkl", "sklearn"),
        ("pipeline.skops", "sklearn"),
        ("booster.json", "xgboost"),
        ("booster.ubj", "xgboost"),
        ("xgboost-model", "xgboost"),
        ("booster.txt", "lightgbm"),
        ("model.onnx", "onnx"),
        ("model.tar.gz", "sklearn"),
    ],
)
def test_a_model_file_tells_the_framework(tmp_path: Path, name: str, framework: str) -> None:
    (tmp_path / name).touch()
    assert framework == told_by(tmp_path / name)


def test_an_unknown_framework_is_refused_with_the_known_ones() -> None:
    with pytest.raises(Failure, match="known: sklearn"):
        uri("caffe:1")

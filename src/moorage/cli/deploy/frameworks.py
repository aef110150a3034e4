"""Which framework a model was made with, as its files or `--framework` tell, and the image to serve it by."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Final

from moorage.cli.failures import Failure
from moorage.runners.process.images import FRAMEWORKS, Framework

_SKLEARN: Final = "sklearn"
_REPOSITORIES: Final[Mapping[str, str]] = {
    _SKLEARN: "sagemaker-scikit-learn",
    "xgboost": "sagemaker-xgboost",
    "lightgbm": "moorage/lightgbm",
    "onnx": "moorage/onnx",
    "pytorch": "pytorch-inference",
    "tensorflow": "tensorflow-inference",
    "huggingface": "moorage/huggingface",
    "python": "moorage/python",
}
"""Framework → repository, AWS's where its tags begin with the version of the framework itself."""
_SUFFIXES: Final[Mapping[str, str]] = {
    ".pkl": _SKLEARN,
    ".joblib": _SKLEARN,
    ".skops": _SKLEARN,
    ".bst": "xgboost",
    ".ubj": "xgboost",
    ".onnx": "onnx",
    ".pt": "pytorch",
    ".pth": "pytorch",
    ".pt2": "pytorch",
    ".safetensors": "huggingface",
    ".lgb": "lightgbm",
}
_SUFFIXES_ALONE: Final[Mapping[str, str]] = {".json": "xgboost", ".model": "xgboost", ".txt": "lightgbm"}
"""What a model file may be called as well. In a folder a file of such a name may be anything."""
_NAMES: Final[Mapping[str, str]] = {"xgboost-model": "xgboost", "saved_model.pb": "tensorflow"}
MODEL_SUFFIXES: Final = (*_SUFFIXES, *_SUFFIXES_ALONE)
_TAG_ENDINGS: Final = {_SKLEARN: "-cpu-py3", "xgboost": "-cpu-py3", "pytorch": "-cpu", "tensorflow": "-cpu"}
"""What follows the version in the tags that the SDK makes."""


def is_model_file(source: Path) -> bool:
    """Whether a file is called as models are."""
    return source.suffix in MODEL_SUFFIXES or source.name in _NAMES


def told_by(source: Path) -> str:
    """The framework of a model file, or of the only kind of model at the top of a folder; else scikit-learn."""
    if source.is_file():
        return _SUFFIXES_ALONE.get(source.suffix) or _told_by_name(source) or _SKLEARN
    found = {framework for path in source.iterdir() if (framework := _told_by_name(path))}
    return found.pop() if len(found) == 1 else _SKLEARN


def _told_by_name(path: Path) -> str | None:
    return _NAMES.get(path.name) or _SUFFIXES.get(path.suffix)


def image_uri(framework: str, *, account_id: str, region: str) -> str:
    """The image of `NAME` or `NAME:VERSION`; without a version that of the installed one, else of the newest.

    Raises Failure for a framework that Moorage does not run.
    """
    name, _, version = framework.partition(":")
    if name not in _REPOSITORIES:
        raise Failure(
            f"There is no framework {name!r}; known: {', '.join(_REPOSITORIES)}.",
            hint="Another image can be given by its URI: --image URI",
        )
    version = version or _installed_minor(next(known for known in FRAMEWORKS if known.name == name))
    tag = f":{version}{_TAG_ENDINGS.get(name, '')}" if version else ""
    return f"{account_id}.dkr.ecr.{region}.amazonaws.com/{_REPOSITORIES[name]}{tag}"


def _installed_minor(framework: Framework) -> str:
    """`1.9`; nothing for a framework that is not installed beside Moorage."""
    for package in (framework.package, *framework.twins):
        try:
            return ".".join(metadata.version(package).split(".")[:2]) if package else ""
        except metadata.PackageNotFoundError:
            continue
    return ""

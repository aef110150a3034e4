"""Small models and their archives, made on the spot: nothing trained is kept in the repository."""

from __future__ import annotations

import functools
import io
import pickle
import tarfile
from importlib import metadata
from typing import Any


def sklearn_image(version: str) -> str:
    """As `sagemaker.image_uris.retrieve("sklearn", "us-east-1", version="1.2-1")` gives it for `1.2`."""
    return f"683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:{version}-1-cpu-py3"


def _installed_sklearn() -> str:
    """`1.9`; without it there is nothing to serve, and so no test that needs the answer."""
    try:
        return ".".join(metadata.version("scikit-learn").split(".")[:2])
    except metadata.PackageNotFoundError:
        return "1.9"


SKLEARN_IMAGE = sklearn_image(_installed_sklearn())
"""The image for pickles made here: of the scikit-learn that is installed, so that no environment has to be built."""

TRUST_SAGEMAKER = """{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
  "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}]}"""

IRIS_ROWS = [[5.1, 3.5, 1.4, 0.2], [6.7, 3.1, 4.4, 1.4], [6.3, 3.3, 6.0, 2.5]]
"""One of each species: the three rows of the recipes."""


def archive(files: dict[str, bytes]) -> bytes:
    """A model.tar.gz of these files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def script_archive(inference: str, **files: bytes) -> bytes:
    """An archive with `code/inference.py`."""
    return archive({"code/inference.py": inference.encode(), **files})


def echo_archive(answer: str) -> bytes:
    """A model without weights that answers every request with `answer`: tells one deployment from another."""
    return script_archive(
        "def model_fn(model_dir):\n"
        f"    return {answer!r}\n"
        "def transform_fn(model, data, content_type, accept):\n"
        "    return model, 'text/plain'\n"
    )


WHO_ANSWERS = script_archive(
    "import os\n"
    "def model_fn(model_dir):\n"
    "    return None\n"
    "def transform_fn(model, data, content_type, accept):\n"
    "    return str(os.getpgid(0)), 'text/plain'\n"
)
"""A model without weights that answers with the process group of its instance: tells one instance from another."""


@functools.cache
def iris_forest() -> Any:
    """The recipes' model: a forest of 100 trees on iris."""
    from sklearn.datasets import load_iris
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.model_selection import train_test_split

    iris = load_iris()
    features, _, labels, _ = train_test_split(iris.data, iris.target, test_size=0.2, random_state=42)
    return RandomForestClassifier(n_estimators=100, random_state=42).fit(features, labels)


@functools.cache
def iris_archive() -> bytes:
    """`iris_forest` as the recipes pack it: model.pkl in a tar.gz."""
    return archive({"model.pkl": pickle.dumps(iris_forest())})

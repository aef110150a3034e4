"""Data: the frameworks, the repositories their images have, and what AWS's tags stand for.

Sources: the Dockerfiles in `docker/<tag>/base` of aws/sagemaker-scikit-learn-container and
aws/sagemaker-xgboost-container for the versions behind tags; `image_uri_config` of aws/sagemaker-python-sdk for the
names and tags that exist; the release notes of each project for the first release that runs with NumPy 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from moorage.runners.process.images.framework import Framework

SCIKIT_LEARN: Final = Framework(
    "sklearn",
    "scikit-learn",
    "scikit-learn",
    modules=(
        "numpy",
        "joblib",
        "sklearn.compose",
        "sklearn.ensemble",
        "sklearn.impute",
        "sklearn.linear_model",
        "sklearn.neighbors",
        "sklearn.pipeline",
        "sklearn.preprocessing",
        "sklearn.svm",
        "sklearn.tree",
    ),
    optional_modules=("treelite.sklearn", "treelite.gtil", "scipy.special", "pandas"),
    requirements=("joblib", "numpy", "pandas", "scipy", "treelite"),
)
XGBOOST: Final = Framework(
    "xgboost",
    "XGBoost",
    "xgboost-cpu",
    modules=("numpy", "xgboost"),
    optional_modules=("treelite.gtil", "sklearn.base", "pandas"),
    requirements=("numpy", "pandas", "scikit-learn", "scipy", "treelite"),
    twins=("xgboost",),
)
LIGHTGBM: Final = Framework(
    "lightgbm",
    "LightGBM",
    "lightgbm",
    modules=("numpy", "lightgbm"),
    optional_modules=("treelite.gtil", "joblib", "pandas"),
    requirements=("joblib", "numpy", "pandas", "scikit-learn", "scipy", "treelite"),
)
PYTORCH: Final = Framework("pytorch", "PyTorch", "torch", modules=("numpy", "torch"), requirements=("numpy",))
ONNX: Final = Framework(
    "onnx", "ONNX Runtime", "onnxruntime", modules=("numpy", "onnxruntime"), requirements=("numpy",)
)
TENSORFLOW: Final = Framework(
    "tensorflow",
    "TensorFlow",
    "tensorflow-cpu",
    modules=("numpy", "tensorflow"),
    requirements=("numpy",),
    twins=("tensorflow",),
)
HUGGING_FACE: Final = Framework(
    "huggingface",
    "Transformers",
    "transformers",
    modules=("numpy", "torch", "transformers", "transformers.pipelines"),
    optional_modules=("sentence_transformers",),
    requirements=("numpy", "sentence-transformers", "torch"),
)
PYTHON: Final = Framework(
    "python", "Python", None, modules=("numpy",), optional_modules=("pandas",), requirements=("numpy", "pandas")
)

FRAMEWORKS: Final = (SCIKIT_LEARN, XGBOOST, LIGHTGBM, PYTORCH, ONNX, TENSORFLOW, HUGGING_FACE, PYTHON)

REPOSITORIES: Final[Mapping[str, Framework]] = {
    "sagemaker-scikit-learn": SCIKIT_LEARN,
    "sagemaker-xgboost": XGBOOST,
    "xgboost": XGBOOST,
    "pytorch-inference": PYTORCH,
    "huggingface-pytorch-inference": HUGGING_FACE,
    "tensorflow-inference": TENSORFLOW,
    "sagemaker-base-python": PYTHON,
    "moorage/scikit-learn": SCIKIT_LEARN,
    "moorage/xgboost": XGBOOST,
    "moorage/lightgbm": LIGHTGBM,
    "moorage/pytorch": PYTORCH,
    "moorage/onnx": ONNX,
    "moorage/tensorflow": TENSORFLOW,
    "moorage/huggingface": HUGGING_FACE,
    "moorage/python": PYTHON,
}

AWS_TAGS: Final[Mapping[str, Mapping[str, str]]] = {
    "sagemaker-scikit-learn": {
        "0.20.0": "0.20.0",
        "0.23-1": "0.23.2",
        "1.0-1": "1.0.2",
        "1.2-1": "1.2.1",
        "1.4-2": "1.4.2",
        "1.5-2": "1.5.2",
    },
    "sagemaker-xgboost": {
        "0.90-1": "0.90",
        "0.90-2": "0.90",
        "1.0-1": "1.0.0",
        "1.2-1": "1.2.0",
        "1.2-2": "1.2.0",
        "1.3-1": "1.3.3",
        "1.5-1": "1.5.2",
        "1.7-1": "1.7.4",
        "3.0-5": "3.0.5",
    },
    "xgboost": {"1": "0.72"},
}
"""The version behind the first words of a tag, where it is not the version as it stands there."""


@dataclass(frozen=True, slots=True)
class OlderReleases:
    """All that is different for releases of a package older than `below`, because their own metadata do not say it."""

    below: tuple[int, ...]
    requirements: tuple[tuple[str, str], ...] = ()
    """Package, and the line to install it by."""
    package: str | None = None
    """The distribution these releases are published as, if another."""


_NUMPY_1: Final = ("numpy", "numpy<2")
_PANDAS_1: Final = ("pandas", "pandas<2")
_PANDAS_2_1: Final = ("pandas", "pandas<2.2")
_SCIPY_1_11: Final = ("scipy", "scipy<1.12")
_SKLEARN_1_5: Final = ("scikit-learn", "scikit-learn<1.6")
"""Later ones have other names for arguments that wrappers of estimators pass."""
_PKG_RESOURCES: Final = ("setuptools", "setuptools<81")
"""The last with a module that some import."""
_TREELITE_4_7: Final = ("treelite", "treelite<4.8")
"""Later ones ask scikit-learn's trees of missing values."""

OLDER_RELEASES: Final[Mapping[str, tuple[OlderReleases, ...]]] = {
    "scikit-learn": (
        OlderReleases((1, 4, 2), (_NUMPY_1, _PANDAS_2_1, _SCIPY_1_11)),
        OlderReleases((1, 3), (_NUMPY_1, _PANDAS_2_1, _SCIPY_1_11, _TREELITE_4_7)),
    ),
    "xgboost-cpu": (
        OlderReleases((2, 1, 4), (_SKLEARN_1_5,)),
        OlderReleases((2, 1, 1), (_SKLEARN_1_5,), package="xgboost"),
        OlderReleases((2, 1), (_NUMPY_1, _PANDAS_2_1, _SCIPY_1_11, _SKLEARN_1_5), package="xgboost"),
        OlderReleases((1, 7), (_NUMPY_1, _PANDAS_1, _SCIPY_1_11, _SKLEARN_1_5, _PKG_RESOURCES), package="xgboost"),
    ),
    "lightgbm": (
        OlderReleases((4, 6), (_SKLEARN_1_5,)),
        OlderReleases((4, 4), (_NUMPY_1, _PANDAS_2_1, _SCIPY_1_11, _SKLEARN_1_5)),
    ),
    "torch": (OlderReleases((2, 3), (_NUMPY_1,)),),
    "onnxruntime": (OlderReleases((1, 19), (_NUMPY_1,)),),
}

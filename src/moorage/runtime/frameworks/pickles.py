"""Model files made by pickle, joblib and skops."""

from __future__ import annotations

import bz2
import gzip
import importlib.util
import lzma
import mmap
import pickle
import re
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from moorage.runtime.failures import ModelUnusable, say

_VERSION: Final = re.compile(
    rb"_sklearn_version.{1,12}?([0-9]+\.[0-9]+(?:\.[0-9]+)*(?:\.?(?:rc|dev|post)[0-9]+)?)", re.DOTALL
)
"""How every estimator's state tells, in pickles of any protocol: name, then value, a few opcodes between."""

_PICKLE: Final = pickle.PROTO
_JOBLIB: Final = b"joblib.numpy_pickle"
"""The module of what joblib writes in place of arrays."""

_COMPRESSIONS: Final[Mapping[bytes, Callable[[bytes], bytes]]] = {
    b"\x1f\x8b": gzip.decompress,
    b"\x78": zlib.decompress,
    b"BZh": bz2.decompress,
    b"\xfd7zXZ": lzma.decompress,
    b"\x5d\x00": lzma.decompress,
}
"""By what joblib's files begin with."""


def load(path: Path) -> Any:
    """The object in `path`, which joblib, pickle or, as its name says, skops wrote. Raises ModelUnusable."""
    try:
        return _load_skops(path) if path.suffix == ".skops" else _load(path)
    except ModelUnusable:
        raise
    except Exception as error:
        advice = _versions(path) or _missing_code(error)
        raise ModelUnusable(f"{path.name} cannot be loaded: {say(error)}{advice}") from error


def made_with(content: bytes) -> str | None:
    """The version of scikit-learn that pickled an estimator, compressed or not; None if nothing tells."""
    for magic, decompress in _COMPRESSIONS.items():
        if content.startswith(magic):
            try:
                content = decompress(content)
            except (OSError, EOFError, zlib.error, lzma.LZMAError):
                return None
    match = _VERSION.search(content)
    return match[1].decode() if match else None


def _load(path: Path) -> Any:
    if _is_plain(path):
        with path.open("rb") as file:
            return pickle.load(file)
    import joblib

    return joblib.load(path)


def _is_plain(path: Path) -> bool:
    """Whether joblib had no part in it: it reads by an unpickler in Python, ten times as slow on a forest of trees."""
    with path.open("rb") as file:
        if file.read(1) != _PICKLE:
            return False
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return content.find(_JOBLIB) < 0


def _load_skops(path: Path) -> Any:
    try:
        import skops.io
    except ImportError as error:
        raise ModelUnusable(
            f"{path.name} needs skops, which is not installed here: name it in code/requirements.txt"
        ) from error
    unknown = skops.io.get_untrusted_types(file=path)
    if unknown:
        raise ModelUnusable(
            f"{path.name} has types that skops does not trust: {', '.join(unknown)}; load it in a model_fn of"
            " code/inference.py that trusts them"
        )
    return skops.io.load(path)


def _versions(path: Path) -> str:
    """`; it was made with …`, if that may be why."""
    made, here = made_with(path.read_bytes()), _installed()
    if made is None or here is None or made == here:
        return ""
    wanted = ".".join(made.split(".")[:2])
    return (
        f"; it was made with scikit-learn {made}, and {here} is to serve it: choose an image of scikit-learn {wanted}"
    )


def _missing_code(error: Exception) -> str:
    """`; put … into code/`, if what is missing is code of the model's author."""
    if isinstance(error, AttributeError) and "__main__'" in str(error):
        return (
            "; it was defined in the program that made the model: move it into a module of its own, make the model"
            " anew, and put the module into code/, beside code/inference.py"
        )
    if isinstance(error, ModuleNotFoundError) and error.name and not _is_installed(error.name):
        return f"; put {error.name} into code/, beside code/inference.py, or name its package in code/requirements.txt"
    return ""


def _is_installed(module: str) -> bool:
    """Whether a module's package is there, and the module only of another version of it."""
    return importlib.util.find_spec(module.partition(".")[0]) is not None


def _installed() -> str | None:
    try:
        import sklearn
    except ImportError:
        return None
    return str(sklearn.__version__)

"""Model files made by pickle and joblib."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

from moorage.runtime.failures import ModelUnusable, say


def load(path: Path) -> Any:
    """The object in `path`, which joblib or pickle wrote. Raises ModelUnusable."""
    try:
        return _load(path)
    except Exception as error:
        raise ModelUnusable(f"{path.name} cannot be loaded: {say(error)}") from error


def _load(path: Path) -> Any:
    try:
        import joblib
    except ImportError:
        with open(path, "rb") as file:
            return pickle.load(file)
    return joblib.load(path)

"""Which file of a model's folder is the model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from moorage.runtime.failures import ModelUnusable


def find(folder: Path, names: Sequence[str], patterns: Sequence[str]) -> Path:
    """The file called one of `names`, the first that is there; else the only file that matches one of `patterns`.

    Raises ModelUnusable if no file does, or several do.
    """
    for name in names:
        if (folder / name).is_file():
            return folder / name
    candidates = sorted({path for pattern in patterns for path in folder.glob(pattern) if path.is_file()})
    if len(candidates) > 1:
        found = ", ".join(path.name for path in candidates)
        raise ModelUnusable(f"Several model files in the archive ({found}): name one of them {' or '.join(names)}")
    if not candidates:
        raise ModelUnusable(
            f"No model file in the archive: expected {' or '.join(names)}, or code/inference.py with model_fn"
        )
    return candidates[0]

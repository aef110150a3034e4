"""A package index in a folder: the runtime's requirements, and a LightGBM that never was."""

from __future__ import annotations

from pathlib import Path

import pytest

from moorage.testing.wheels import make_index, make_wheel


@pytest.fixture(scope="session")
def index(tmp_path_factory) -> Path:
    """Wheels of the runtime's requirements, and of nothing else."""
    pytest.importorskip("numpy", reason="environments in these tests get the NumPy that is installed here")
    return make_index(tmp_path_factory.mktemp("index"))


@pytest.fixture(scope="session")
def cache(tmp_path_factory) -> Path:
    """uv's, for all tests: NumPy is unpacked once."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    """LightGBM 9.9.9, which Moorage's own environment does not have, and what an image of it asks for besides."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    make_wheel(folder, "lightgbm", "9.9.9", {"lightgbm.py": "__version__ = '9.9.9'\n"})
    for name in ("joblib", "pandas", "scikit-learn", "scipy", "treelite"):
        make_wheel(folder, name, "1.0")
    return folder

"""How models of a framework are loaded beside each other."""

from __future__ import annotations

import asyncio
import pickle
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from moorage.runtime.multi_model.kind import FrameworkModels
from moorage.runtime.multi_model.lane import Crew
from moorage.runtime.settings import Settings

BEGUN, MAY_END = threading.Event(), threading.Event()


class Constant:
    def predict(self, rows: Any) -> Any:
        return rows


class Slow:
    """Its pickle takes until it may end."""

    def __reduce__(self) -> tuple[Callable[[], Constant], tuple[()]]:
        return load_slowly, ()


def load_slowly() -> Constant:
    BEGUN.set()
    MAY_END.wait()
    return Constant()


def folder_with(model: object, folder: Path) -> Path:
    folder.mkdir()
    (folder / "model.pkl").write_bytes(pickle.dumps(model))
    return folder


async def test_a_model_that_takes_long_to_load_holds_up_no_other(tmp_path: Path) -> None:
    slow, quick = folder_with(Slow(), tmp_path / "slow"), folder_with(Constant(), tmp_path / "quick")
    for event in (BEGUN, MAY_END):
        event.clear()
    with ThreadPoolExecutor(2) as threads, Crew(1) as crew:
        models = FrameworkModels("sklearn", {}, Settings(), crew=crew, threads=threads, say=print)
        try:
            loading = asyncio.create_task(models.load("slow", slow))
            assert await asyncio.to_thread(BEGUN.wait, 60)
            async with asyncio.timeout(30):
                assert isinstance((await models.load("quick", quick)).native, Constant)
            assert not loading.done()
        finally:
            MAY_END.set()
        assert isinstance((await loading).native, Constant)

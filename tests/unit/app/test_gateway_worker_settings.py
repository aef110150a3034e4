"""How many gateway workers there are."""

import os
from pathlib import Path

import pytest

from moorage.app.given import SettingsError
from moorage.app.settings import GATEWAY_WORKERS_DEFAULT_MAX, load_settings


@pytest.mark.parametrize(("usable", "workers"), [(1, 1), (2, 2), (4, 4), (64, GATEWAY_WORKERS_DEFAULT_MAX)])
def test_by_default_there_is_one_for_each_processor_up_to_a_few(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, usable: int, workers: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(usable)))
    assert workers == load_settings(tmp_path).gateway_workers


def test_the_environment_says_how_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOORAGE_GATEWAY_WORKERS", "3")
    assert 3 == load_settings(tmp_path).gateway_workers


@pytest.mark.parametrize("count", ["0", "-1", "65", "many"])
def test_a_count_that_cannot_be_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: str) -> None:
    monkeypatch.setenv("MOORAGE_GATEWAY_WORKERS", count)
    with pytest.raises(SettingsError, match="gateway_workers"):
        load_settings(tmp_path)

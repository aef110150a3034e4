"""What a start makes of its data directory."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from moorage.app.settings import Settings, load_settings
from moorage.app.supervisor import SupervisorError, prepare_folders


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    found = load_settings(tmp_path / "data")
    yield found
    if found.ledger_dir.is_dir():  # it is in the machine's shared memory
        found.ledger_dir.rmdir()


@pytest.mark.parametrize("is_there", [False, True])
def test_what_is_made_is_closed_to_other_users(settings: Settings, is_there: bool) -> None:
    if is_there:
        settings.data_dir.mkdir()
        settings.data_dir.chmod(0o755)

    prepare_folders(settings)

    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (settings.run_dir, settings.platform_log_path)}
    assert {settings.run_dir: 0o700, settings.platform_log_path: 0o600} == modes


def test_a_place_that_cannot_be_is_named(settings: Settings) -> None:
    settings.data_dir.write_text("not a folder")
    with pytest.raises(SupervisorError) as caught:
        prepare_folders(settings)
    assert f"Cannot make {settings.data_dir}: File exists. Choose another --data-dir" == str(caught.value)

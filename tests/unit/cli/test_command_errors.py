"""What a command says when the machine does not let it do something."""

from __future__ import annotations

import errno
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from moorage.app.settings import Settings
from moorage.cli.target import on_moorage


def command_that_raises(error: OSError) -> click.Command:
    @click.command()
    @on_moorage
    def command(settings: Settings) -> None:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (TimeoutError("no answer"), "Error: no answer.\n"),
        (OSError(errno.ENOSPC, "No space left on device"), "Error: No space left on device.\n"),
        (
            PermissionError(errno.EACCES, "Permission denied", "/models/a.pkl"),
            "Error: /models/a.pkl: Permission denied.\n",
        ),
    ],
)
def test_an_error_of_the_machine_is_one_sentence(tmp_path: Path, error: OSError, said: str) -> None:
    result = CliRunner().invoke(command_that_raises(error), ["--data-dir", str(tmp_path)])
    assert (1, said) == (result.exit_code, result.stderr)


def test_a_file_of_settings_that_is_somebody_elses_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "moorage.toml").mkdir()
    result = CliRunner().invoke(command_that_raises(OSError()), ["--data-dir", str(tmp_path)])
    assert (1, f"Error: Cannot read {tmp_path}/moorage.toml: Is a directory\n") == (result.exit_code, result.stderr)

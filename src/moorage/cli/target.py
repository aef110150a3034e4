"""Which Moorage a command means: `--data-dir`, and the settings found there."""

from __future__ import annotations

import errno
import shlex
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Concatenate, ParamSpec

import click

from moorage.app.credentials import CredentialsError
from moorage.app.given import SettingsError
from moorage.app.lifecycle import NotRunning
from moorage.app.settings import Settings, default_data_dir, load_settings
from moorage.app.supervisor import SupervisorError
from moorage.cli.failures import Failure

P = ParamSpec("P")


def on_moorage(function: Callable[Concatenate[Settings, P], None]) -> Callable[..., None]:
    """Give a command `--data-dir`, and the settings found there as its first argument.

    Errors of the composition root, which are written for people, become a `Failure`, and so do the operating system's.
    """

    @click.option(
        "--data-dir",
        type=click.Path(path_type=Path, file_okay=False),
        help="Where this Moorage keeps everything.  [default: $MOORAGE_DATA_DIR, or moorage in your state directory]",
    )
    @wraps(function)
    def command(data_dir: Path | None, *args: P.args, **kwargs: P.kwargs) -> None:
        settings = _load(data_dir)
        try:
            function(settings, *args, **kwargs)
        except NotRunning:
            raise not_running(settings) from None
        except (CredentialsError, SupervisorError) as error:
            raise Failure(str(error)) from error
        except OSError as error:
            if error.errno == errno.EPIPE:  # whoever read our output has had enough, which is no failure of ours
                raise
            where = f"{error.filename}: " if error.filename else ""
            raise Failure(f"{where}{error.strerror or error}.") from error

    return command


def command_line(settings: Settings, command: str) -> str:
    """`moorage COMMAND`, with `--data-dir` where it is needed to mean this Moorage."""
    if settings.data_dir == default_data_dir().expanduser().resolve():
        return f"moorage {command}"
    return f"moorage {command} --data-dir {shlex.quote(str(settings.data_dir))}"


def not_running(settings: Settings) -> Failure:
    """The error of every command that needs a running Moorage."""
    return Failure(
        f"Moorage is not running on {settings.data_dir}.",
        hint=f"Start it: {command_line(settings, 'up --detach')}",
    )


def _load(data_dir: Path | None) -> Settings:
    try:
        return load_settings(data_dir)
    except SettingsError as error:
        raise Failure(str(error)) from error

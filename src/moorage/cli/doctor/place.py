"""Checks of where this Moorage is to live: its data directory and its port."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from moorage.app import lifecycle
from moorage.app.ports import free_port
from moorage.app.settings import Settings
from moorage.cli.doctor.finding import Finding, bad, good, note

DISK_FLOOR_BYTES: Final = 1 << 30


def check_data_dir(settings: Settings) -> Iterator[Finding]:
    """Whether the data directory, or the folder it would be made in, can be written and has room."""
    folder = _nearest_existing(settings.data_dir)
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"x")
            os.fsync(file.fileno())
    except OSError as error:
        yield bad("Data directory", f"{folder}: {error.strerror}", advice="Choose another: --data-dir DIR")
        return
    made = "" if folder == settings.data_dir else " (made at the first start)"
    yield good("Data directory", f"{settings.data_dir}{made}")
    free = shutil.disk_usage(folder).free
    text = f"{free / (1 << 30):.1f} GiB free"
    if free < DISK_FLOOR_BYTES:
        yield note("Disk", text, advice="Artefacts are kept twice, packed and unpacked: make room")
    else:
        yield good("Disk", text)


def check_port(settings: Settings) -> Iterator[Finding]:
    """Whether the port is free, or taken by this Moorage itself."""
    running = lifecycle.status(settings)
    if running.running:
        yield good("Port", f"Moorage runs already, at {running.endpoint_url}")
        return
    try:
        free_port(settings.host, settings.port)
    except OSError as error:
        yield bad(
            "Port",
            f"{settings.host}:{settings.port}: {error.strerror}",
            advice="Choose another: moorage up --port N",
        )
    else:
        yield good("Port", f"{settings.host}:{settings.port} is free")


def _nearest_existing(path: Path) -> Path:
    return next(folder for folder in (path, *path.parents) if folder.exists())

"""Where there is no view of files of its own, an instance's user has to pass through folders that are Moorage's alone.

One group lets it: that of all instances, which is nobody's else. It may pass through, and not look around.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path


def open_ways(folders: Iterable[Path], group: int) -> None:
    """Let the group pass through each folder that does not let it yet. Raises OSError."""
    for folder in folders:
        found = folder.stat()
        if not _lets_through(found, group):
            os.chown(folder, -1, group)
            folder.chmod(stat.S_IMODE(found.st_mode) & ~0o070 | 0o010)


def is_reachable(path: Path, group: int) -> bool:
    """Whether a member of the group, who owns nothing on the way, can pass through all folders above the path."""
    return all(_lets_through(parent.stat(), group) for parent in path.parents)


def _lets_through(folder: os.stat_result, group: int) -> bool:
    """Of group and others only the first that fits counts."""
    return bool(folder.st_mode & (stat.S_IXGRP if folder.st_gid == group else stat.S_IXOTH))

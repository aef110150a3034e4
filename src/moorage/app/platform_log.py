"""The platform's log, which is what Moorage's own processes say when no terminal listens, in bounded room.

They all append to one file that they hold open, so it cannot be put aside under them: it is copied, then emptied.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

BYTES_MAX: Final = 64 << 20
"""Of the log and the one before it together."""


def keep_small(path: Path, *, bytes_max: int = BYTES_MAX) -> None:
    """Begin the log at `path` anew if it takes more than half of that; its end is then in `….1`. Raises OSError.

    What is said in the moment between the end of the copy and the new beginning is lost.
    """
    size = path.stat().st_size if path.exists() else 0
    if size <= bytes_max // 2:
        return
    copy_path = path.with_name(path.name + ".new")
    with open(path, "rb") as log, open(copy_path, "wb") as copy:
        log.seek(size - bytes_max // 2)
        shutil.copyfileobj(log, copy)
        os.truncate(path, 0)
    shutil.copymode(path, copy_path)
    copy_path.replace(path.with_name(path.name + ".1"))

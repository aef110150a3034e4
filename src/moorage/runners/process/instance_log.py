"""The platform's own lines in an instance's log file, beside what the instance writes itself."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

from moorage.core.model import InstanceSpec


def log_path(logs_dir: Path, spec: InstanceSpec) -> Path:
    """`<logs>/<region>/<endpoint>/<variant>/<instance>.log`."""
    return logs_dir / spec.endpoint.region / spec.endpoint.name / spec.variant.name / f"{spec.id}.log"


def append_line(path: Path, text: str, *, now: datetime) -> None:
    """Add a line with its time to the log, which is made if it is not there. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    stamp = now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03d}Z"
    log = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(log, f"{stamp} moorage: {text}\n".encode(errors="backslashreplace"))
    finally:
        os.close(log)

"""Logging of Moorage's own processes: one line an event, to standard error."""

from __future__ import annotations

import logging
import sys
import time


class _LineFormatter(logging.Formatter):
    """`2026-11-21T02:55:00.123Z control WARNING moorage.control.endpoints: text`, times in UTC."""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def __init__(self, process: str) -> None:
        super().__init__(f"%(asctime)s {process} %(levelname)s %(name)s: %(message)s")


def configure_logging(process: str, *, level: str = "INFO") -> None:
    """Send this process's log to standard error, under the name of its part."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_LineFormatter(process))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for noisy in ("botocore", "boto3", "s3transfer", "urllib3", "alembic", "uvicorn"):
        logging.getLogger(noisy).setLevel(logging.WARNING)

"""What a check has found."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Level(enum.Enum):
    """How much a finding matters."""

    GOOD = "ok"
    NOTE = "note"
    """Something does not work, or works less well, that not everybody needs."""
    BAD = "BAD"
    """Moorage cannot run like this."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    level: Level
    subject: str
    text: str
    advice: str | None = None


def good(subject: str, text: str) -> Finding:
    """All is well."""
    return Finding(Level.GOOD, subject, text)


def note(subject: str, text: str, *, advice: str | None = None) -> Finding:
    """Worth knowing."""
    return Finding(Level.NOTE, subject, text, advice)


def bad(subject: str, text: str, *, advice: str) -> Finding:
    """To be mended before `moorage up`."""
    return Finding(Level.BAD, subject, text, advice)

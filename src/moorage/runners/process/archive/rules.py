"""What an archive may hold. The rules stand here; `tar`, `gunzip` and `extract` enforce them.

Regular files and folders, below the model folder, each name once. No links: an inner one is as easily packed as the
file it means, and a link is how archives escape. No dataclass and no enum in this package: importing those takes longer
than unpacking a small archive.
"""

from __future__ import annotations


class Refused(Exception):
    """The archive breaks a rule, or is none; the message is a sentence that names member and rule."""


NOT_AN_ARCHIVE = "the archive is not a gzip-compressed tar archive"
TRUNCATED = "the archive is truncated: it ends in the middle of a member"

TOTAL_BYTES_MAX = 64 << 30
MEMBERS_MAX = 100_000
DEPTH_MAX = 32
NAME_BYTES_MAX = 4096
PART_BYTES_MAX = 255
EXTENSION_BYTES_MAX = 1 << 20
"""Of a PAX header or a GNU long name."""
RATIO_MAX = 200
RATIO_FREE_BYTES = 512 << 20
"""As much may come out of however few bytes: arrays of zeros compress a thousandfold and are no bomb."""


def shown(name: bytes) -> str:
    """A member's name for a sentence, quoted, control characters escaped, not endless."""
    text = name.decode("utf-8", "backslashreplace")
    return repr(text if len(text) <= 200 else text[:200] + "…")


def split(name: bytes) -> list[bytes]:
    """The parts of a member's name; `.` parts are dropped, so the archive's own root has none. Raises Refused."""
    if len(name) > NAME_BYTES_MAX:
        raise Refused(f"archive member {shown(name)} has a name longer than {NAME_BYTES_MAX} bytes")
    if name.startswith(b"/"):
        raise Refused(f"archive member {shown(name)} has an absolute path")
    parts = [part for part in name.split(b"/") if part not in (b"", b".")]
    if b".." in parts:
        raise Refused(f"archive member {shown(name)} leaves the model folder")
    if len(parts) > DEPTH_MAX:
        raise Refused(f"archive member {shown(name)} lies more than {DEPTH_MAX} folders deep")
    if any(len(part) > PART_BYTES_MAX for part in parts):
        raise Refused(f"archive member {shown(name)} has a name part longer than {PART_BYTES_MAX} bytes")
    return parts


def is_noise(parts: list[bytes]) -> bool:
    """What macOS's tar adds beside the files: resource forks and folder settings."""
    return b"__MACOSX" in parts or parts[-1].startswith(b"._") or parts[-1] == b".DS_Store"

"""Tar headers: ustar, GNU long names, PAX. Only what a model archive needs; all else is refused by name.

Format: POSIX.1-2017 pax, "ustar Interchange Format"; GNU tar manual, "Basic Tar Format".
"""

from __future__ import annotations

from moorage.runners.process.archive.rules import (
    EXTENSION_BYTES_MAX,
    MEMBERS_MAX,
    NOT_AN_ARCHIVE,
    TOTAL_BYTES_MAX,
    Refused,
    shown,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from moorage.runners.process.archive.gunzip import GzipReader

BLOCK = 512
_REGULAR = (b"0", b"\0", b"7")
_FOLDER = b"5"
_PAX, _PAX_GLOBAL, _GNU_NAME, _GNU_LINK = b"x", b"g", b"L", b"K"
_EXTENSIONS = (_PAX, _PAX_GLOBAL, _GNU_NAME, _GNU_LINK)
_REFUSED = {
    b"1": "is a hard link: pack the file itself",
    b"2": "is a symbolic link: pack the file it points to (tar --dereference)",
    b"3": "is a character device",
    b"4": "is a block device",
    b"6": "is a FIFO",
    b"S": "is a sparse file: pack it without --sparse",
}
_SPECIAL_BITS = 0o6000


class Member:
    """A regular file or a folder."""

    __slots__ = ("is_executable", "is_folder", "name", "size")

    def __init__(self, name: bytes, size: int, *, is_folder: bool, is_executable: bool) -> None:
        self.name = name
        self.size = size
        self.is_folder = is_folder
        self.is_executable = is_executable


def members(source: GzipReader) -> Iterator[Member]:
    """Every member in order. Before the next the caller takes exactly `size` bytes from `source`. Raises Refused."""
    count = total = 0
    extended: dict[bytes, bytes] = {}
    while (header := _next_header(source, is_first=count == 0)) is not None:
        count += 1
        if count > MEMBERS_MAX:
            raise Refused(f"the archive has more than {MEMBERS_MAX} members")
        kind = header[156:157]
        if kind in _EXTENSIONS:
            extended.update(_extension(kind, _padded(source, _size(header))))
            continue
        member = _member(header, kind, extended)
        extended = {}
        total += member.size
        if total > TOTAL_BYTES_MAX:
            raise Refused(f"the archive declares more than {TOTAL_BYTES_MAX >> 30} GiB of data")
        yield member
        source.skip(-member.size % BLOCK)


def _next_header(source: GzipReader, *, is_first: bool) -> bytes | None:
    start = source.take(BLOCK)
    if not start:
        if is_first:
            raise Refused(NOT_AN_ARCHIVE)
        return None  # without the closing blocks of zeros, as some writers leave it
    header = start + source.take_exactly(BLOCK - len(start))
    if not any(header):
        return None
    if header[148:156].strip(b" \0").lstrip(b"0") not in _checksums(header):
        raise Refused(NOT_AN_ARCHIVE if is_first else "the archive is damaged: a member's header has a wrong checksum")
    return header


def _member(header: bytes, kind: bytes, extended: dict[bytes, bytes]) -> Member:
    name = extended.get(b"path") or _name(header)
    if kind not in _REGULAR and kind != _FOLDER:
        raise Refused(f"archive member {shown(name)} {_REFUSED.get(kind, f'is of unknown type {shown(kind)}')}")
    if any(key.startswith(b"GNU.sparse") for key in extended):
        raise Refused(f"archive member {shown(name)} {_REFUSED[b'S']}")
    is_folder = kind == _FOLDER or (kind == b"\0" and name.endswith(b"/"))
    mode = _number(header[100:108])
    if not is_folder and mode & _SPECIAL_BITS:
        raise Refused(f"archive member {shown(name)} has the set-user-id or set-group-id bit")
    size = 0 if is_folder else _decimal(extended[b"size"]) if b"size" in extended else _size(header)
    return Member(name, size, is_folder=is_folder, is_executable=bool(mode & 0o100))


def _extension(kind: bytes, data: bytes) -> dict[bytes, bytes]:
    """What an extension header says about the next member. Global PAX headers hold comments in practice."""
    if kind == _GNU_NAME:
        return {b"path": data.rstrip(b"\0")}
    return _pax_records(data) if kind == _PAX else {}


def _pax_records(data: bytes) -> dict[bytes, bytes]:
    """`30 path=a/long/name/of/a/file\\n` and so on; the number counts the whole record."""
    records = {}
    while data.strip(b"\0"):
        digits, _, rest = data.partition(b" ")
        length = _decimal(digits)
        record, end = rest[: length - len(digits) - 2], data[length - 1 : length]
        key, equals, value = record.partition(b"=")
        if end != b"\n" or not equals or b"\0" in value:
            raise Refused("the archive is damaged: a PAX header cannot be read")
        records[key] = value
        data = data[length:]
    return records


def _padded(source: GzipReader, size: int) -> bytes:
    if size > EXTENSION_BYTES_MAX:
        raise Refused(f"the archive has an extended header of more than {EXTENSION_BYTES_MAX >> 20} MiB")
    data = source.take_exactly(size)
    source.skip(-size % BLOCK)
    return data


def _name(header: bytes) -> bytes:
    name = header[:100].partition(b"\0")[0]
    prefix = header[345:500].partition(b"\0")[0] if header[257:263] == b"ustar\0" else b""
    return prefix + b"/" + name if prefix else name


def _size(header: bytes) -> int:
    return _number(header[124:136])


def _number(field: bytes) -> int:
    """Octal digits, or GNU's base 256 where the first bit is set."""
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    digits = field.strip(b" \0")
    if digits and not all(0x30 <= digit <= 0x37 for digit in digits):
        raise Refused("the archive is damaged: a number in a member's header cannot be read")
    return int(digits or b"0", 8)


def _decimal(digits: bytes) -> int:
    if not digits.isdigit() or len(digits) > 20:
        raise Refused("the archive is damaged: a PAX header cannot be read")
    return int(digits)


def _checksums(header: bytes) -> tuple[bytes, bytes]:
    """The sum with the checksum's own field as spaces, in octal; some old writers summed signed bytes."""
    summed = header[:148] + b" " * 8 + header[156:]
    unsigned = sum(summed)
    return b"%o" % unsigned, b"%o" % (unsigned - 256 * sum(byte > 127 for byte in summed))

"""Checksums of content: running, combined over parts, and in the base64 that travels.

The algorithms of S3 over the object's bytes, beside the MD5 that makes the entity tag. CRC32C, CRC64NVME and XXHash
come from awscrt, which uses the processor's instructions for them.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from awscrt import checksums as crt


class Algorithm(StrEnum):
    """A checksum algorithm, by the name it has on the wire."""

    CRC32 = "CRC32"
    CRC32C = "CRC32C"
    CRC64NVME = "CRC64NVME"
    SHA1 = "SHA1"
    SHA256 = "SHA256"
    SHA512 = "SHA512"
    MD5 = "MD5"
    XXHASH64 = "XXHASH64"
    XXHASH3 = "XXHASH3"
    XXHASH128 = "XXHASH128"


class Coverage(StrEnum):
    """What a multipart object's checksum is taken over: all its bytes, or the checksums of its parts."""

    FULL_OBJECT = "FULL_OBJECT"
    COMPOSITE = "COMPOSITE"


@dataclass(frozen=True, slots=True)
class Checksum:
    """A checksum in base64. A composite one ends in `-` and the number of parts."""

    algorithm: Algorithm
    value: str
    coverage: Coverage = Coverage.FULL_OBJECT


class Running(Protocol):
    """A checksum under way."""

    def update(self, data: bytes, /) -> None: ...
    def digest(self) -> bytes: ...


class _Crc:
    def __init__(self, step: Callable[[bytes, int], int], size_bytes: int) -> None:
        self._step = step
        self._size_bytes = size_bytes
        self._value = 0

    def update(self, data: bytes, /) -> None:
        self._value = self._step(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(self._size_bytes, "big")


class _XXHash:
    """awscrt's can be asked for its value once only, and then has no other name for that than `finalize`."""

    def __init__(self, running: crt.XXHash) -> None:
        self._running = running
        self._digest: bytes | None = None

    def update(self, data: bytes, /) -> None:
        self._running.update(data)

    def digest(self) -> bytes:
        if self._digest is None:
            self._digest = bytes(self._running.finalize())
        return self._digest


_NEW: dict[Algorithm, Callable[[], Running]] = {
    Algorithm.CRC32: lambda: _Crc(zlib.crc32, 4),
    Algorithm.CRC32C: lambda: _Crc(crt.crc32c, 4),
    Algorithm.CRC64NVME: lambda: _Crc(crt.crc64nvme, 8),
    Algorithm.SHA1: lambda: hashlib.sha1(usedforsecurity=False),
    Algorithm.SHA256: hashlib.sha256,
    Algorithm.SHA512: hashlib.sha512,
    Algorithm.MD5: lambda: hashlib.md5(usedforsecurity=False),
    Algorithm.XXHASH64: lambda: _XXHash(crt.XXHash.new_xxhash64()),
    Algorithm.XXHASH3: lambda: _XXHash(crt.XXHash.new_xxhash3_64()),
    Algorithm.XXHASH128: lambda: _XXHash(crt.XXHash.new_xxhash3_128()),
}

_COMBINE: dict[Algorithm, tuple[Callable[[int, int, int], int], int]] = {
    Algorithm.CRC32: (crt.combine_crc32, 4),
    Algorithm.CRC32C: (crt.combine_crc32c, 4),
    Algorithm.CRC64NVME: (crt.combine_crc64nvme, 8),
}

LINEAR = frozenset(_COMBINE)
"""The algorithms whose checksum of a whole follows from the checksums and sizes of its parts."""


def start(algorithm: Algorithm) -> Running:
    """A new running checksum."""
    return _NEW[algorithm]()


def encode(digest: bytes) -> str:
    """A digest as it travels."""
    return base64.b64encode(digest).decode("ascii")


def decode(value: str) -> bytes | None:
    """The digest that `value` spells, or None if it is not base64."""
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return None


def composite(algorithm: Algorithm, parts: Sequence[str]) -> Checksum:
    """The checksum of the parts' digests, in order, with their number behind it."""
    running = start(algorithm)
    for part in parts:
        running.update(base64.b64decode(part))
    return Checksum(algorithm, f"{encode(running.digest())}-{len(parts)}", Coverage.COMPOSITE)


def full_object(algorithm: Algorithm, parts: Sequence[tuple[str, int]]) -> Checksum:
    """The checksum of the whole from the (checksum, size in bytes) of its parts, for a `LINEAR` algorithm."""
    combine, size_bytes = _COMBINE[algorithm]
    total = 0
    for value, part_bytes in parts:
        total = combine(total, int.from_bytes(base64.b64decode(value), "big"), part_bytes)
    return Checksum(algorithm, encode(total.to_bytes(size_bytes, "big")))


def multipart_etag(parts: Sequence[str]) -> str:
    """The entity tag of an object made of parts: the MD5 of their MD5s, `-`, their number. `parts` are hexadecimal."""
    md5 = hashlib.md5(b"".join(bytes.fromhex(part) for part in parts), usedforsecurity=False)
    return f"{md5.hexdigest()}-{len(parts)}"

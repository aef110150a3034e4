"""Checksums on the wire: which one a request carries, and the fields in which an answer reports one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moorage.api.s3.errors import invalid_request
from moorage.objects import checksums
from moorage.objects.checksums import LINEAR, Algorithm, Checksum, Coverage

_FIELDS = {algorithm: f"Checksum{algorithm.value}" for algorithm in Algorithm}
_HEADERS = {algorithm: f"x-amz-checksum-{algorithm.value.lower()}" for algorithm in Algorithm}
_BY_HEADER = {header: algorithm for algorithm, header in _HEADERS.items()}


def given(request: Mapping[str, Any]) -> Checksum | None:
    """The checksum that a request gives in a header. Raises ServiceError for two, and for a wrong form."""
    found = [(algorithm, request[field]) for algorithm, field in _FIELDS.items() if request.get(field)]
    if not found:
        return None
    if len(found) > 1:
        raise invalid_request("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")
    algorithm, value = found[0]
    check_form(algorithm, value.partition("-")[0])  # the number of parts may follow
    return Checksum(algorithm, value)


def check_form(algorithm: Algorithm, value: str) -> str:
    """`value`, if it can be a checksum of the algorithm. Raises ServiceError(InvalidRequest)."""
    digest = checksums.decode(value)
    if digest is None or len(digest) != len(checksums.start(algorithm).digest()):
        raise invalid_request(f"Value for {header_of(algorithm)} header is invalid.")
    return value


def declared(request: Mapping[str, Any]) -> Algorithm | None:
    """The algorithm that a request names, with or without a value. Raises ServiceError(InvalidRequest)."""
    name = request.get("ChecksumAlgorithm")
    if name is None:
        return None
    try:
        return Algorithm(name)
    except ValueError:
        raise invalid_request("Checksum algorithm provided is unsupported.") from None


def coverage_for(algorithm: Algorithm, wanted: str | None) -> Coverage:
    """What a multipart checksum covers: as wanted, else as S3 has it. Raises ServiceError(InvalidRequest).

    CRC64NVME covers the object, SHA and the like cover the parts, CRC32 and CRC32C can do either.
    Source: "Checking object integrity", S3 User Guide.
    """
    if algorithm is Algorithm.CRC64NVME:
        possible = [Coverage.FULL_OBJECT]
    elif algorithm in LINEAR:
        possible = [Coverage.COMPOSITE, Coverage.FULL_OBJECT]
    else:
        possible = [Coverage.COMPOSITE]
    if wanted is None:
        return possible[0]
    if wanted not in possible:
        raise invalid_request(
            f"The {wanted} checksum type cannot be used with the {algorithm.value.lower()} checksum algorithm."
        )
    return Coverage(wanted)


def reported(checksum: Checksum | None) -> dict[str, Any]:
    """The fields that report a checksum and what it covers."""
    if checksum is None:
        return {}
    return {_FIELDS[checksum.algorithm]: checksum.value, "ChecksumType": checksum.coverage.value}


def value_of(checksum: Checksum | None) -> dict[str, Any]:
    """The field that reports a checksum alone, for parts."""
    return {} if checksum is None else {_FIELDS[checksum.algorithm]: checksum.value}


def header_of(algorithm: Algorithm) -> str:
    """The header, or trailer, that carries a checksum of the algorithm."""
    return _HEADERS[algorithm]


def algorithm_of_header(name: str) -> Algorithm | None:
    """The algorithm of the checksum that a header or trailer of this name carries."""
    return _BY_HEADER.get(name.strip().lower())

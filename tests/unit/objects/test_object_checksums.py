"""Checksums: known values, and the whole from its parts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.objects.checksums import LINEAR, Algorithm, encode, full_object, start


def checksum(algorithm: Algorithm, data: bytes) -> str:
    running = start(algorithm)
    running.update(data)
    return encode(running.digest())


@pytest.mark.parametrize(
    ("algorithm", "expected"),
    [
        # The check values of the catalogue of parametrised CRC algorithms, for "123456789".
        (Algorithm.CRC32, 0xCBF43926),
        (Algorithm.CRC32C, 0xE3069283),
        (Algorithm.CRC64NVME, 0xAE8B14860A799888),
    ],
)
def test_check_values(algorithm: Algorithm, expected: int) -> None:
    running = start(algorithm)
    running.update(b"12345")
    running.update(b"6789")
    assert expected == int.from_bytes(running.digest(), "big")


@given(st.lists(st.binary(max_size=50), max_size=5), st.sampled_from(sorted(LINEAR)))
def test_the_whole_follows_from_its_parts(parts: list[bytes], algorithm: Algorithm) -> None:
    combined = full_object(algorithm, [(checksum(algorithm, part), len(part)) for part in parts])
    assert checksum(algorithm, b"".join(parts)) == combined.value


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_asking_twice_answers_the_same(algorithm: Algorithm) -> None:
    running = start(algorithm)
    running.update(b"x")
    assert running.digest() == running.digest()

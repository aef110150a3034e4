from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.wire.framing import Chunked, FixedLength, UntilClosed, response_decoder
from moorage.wire.messages import BodyTooLarge, Refused

chunks = st.lists(st.binary(min_size=1, max_size=40), max_size=6)
cuts = st.lists(st.integers(0, 400), max_size=8)


def encode(pieces: list[bytes], *, extension: bytes = b"", trailers: bytes = b"") -> bytes:
    body = b"".join(b"%x%b\r\n%b\r\n" % (len(piece), extension, piece) for piece in pieces)
    return body + b"0\r\n" + trailers + b"\r\n"


def split(data: bytes, at: list[int]) -> list[bytes]:
    edges = [0, *sorted(min(cut, len(data)) for cut in at), len(data)]
    return [data[start:end] for start, end in pairwise(edges) if start < end]


def drive(decoder: Chunked | FixedLength, parts: list[bytes]) -> tuple[bytes, bytes]:
    body, rest = b"", b""
    for part in parts:
        if decoder.done:
            rest += part
            continue
        pieces, surplus = decoder.feed(part)
        body += b"".join(pieces)
        rest += surplus
    return body, rest


@given(chunks, cuts, st.sampled_from([b"", b";a", b";a=b", b';q="x y"']), st.sampled_from([b"", b"X: y\r\n"]))
def test_however_a_chunked_body_is_cut_it_reads_the_same(
    pieces: list[bytes], at: list[int], extension: bytes, trailers: bytes
) -> None:
    decoder = Chunked(10_000)
    wire = encode(pieces, extension=extension, trailers=trailers) + b"GET / next"
    assert (b"".join(pieces), b"GET / next") == drive(decoder, split(wire, at))
    assert decoder.done


@given(st.binary(max_size=60), cuts)
def test_however_a_body_of_known_length_is_cut_it_reads_the_same(body: bytes, at: list[int]) -> None:
    decoder = FixedLength(len(body))
    assert (body, b"next") == drive(decoder, split(body + b"next", at))


@pytest.mark.parametrize(
    "wire",
    [
        b"\r\n",
        b"g\r\n",
        b"-1\r\n",
        b"0x1\r\n",
        b"1 \r\n",
        b" 1\r\n",
        b"1\n",
        b"1\ra",
        b"3\r\nabcd\r\n",
        b"3\r\nabc\n",
        b"3\r\nabcX",
        b"1;a\x00\r\n",
        b"1" * 16 + b"\r\n",
        b"1;" + b"a" * 300,
        b"1;" + b"a" * 300 + b"\r\n",
        b"0\r\nX\r\n\r\n",
        b"0\r\n X: y\r\n\r\n",
        b"0\r\nX: \x01\r\n\r\n",
        b"0\r\n" + b"X: " + b"y" * 9_000,
        b"0\r\n" + b"X: y\r\n" * 3_000 + b"\r\n",
        b"0\r\n\n",
    ],
)
@pytest.mark.parametrize("step", [1, 10_000])
def test_malformed_chunks_are_refused(wire: bytes, step: int) -> None:
    with pytest.raises(Refused) as caught:
        drive(Chunked(10_000), [wire[start : start + step] for start in range(0, len(wire), step)])
    assert 400 == caught.value.status


def test_a_body_may_not_outgrow_its_cap() -> None:
    with pytest.raises(BodyTooLarge):
        Chunked(10).feed(b"6\r\nabcdef\r\n5\r\n")
    with pytest.raises(BodyTooLarge):
        UntilClosed(3).feed(b"abcd")
    with pytest.raises(BodyTooLarge):
        response_decoder(11, bytes_max=10)


def test_only_a_body_without_length_may_end_with_its_connection() -> None:
    assert FixedLength(1).is_cut_by_end()
    assert Chunked(1).is_cut_by_end()
    assert not UntilClosed(1).is_cut_by_end()
    assert not FixedLength(0).is_cut_by_end()

"""Ways to spoil a message that know its grammar. Each changes one thing; none asks whether what comes out is valid."""

from __future__ import annotations

import random  # noqa: TID251 - the seed is an argument, and the same seed must spoil alike
from collections.abc import Callable, Sequence
from typing import Final

from moorage.testing.fuzz.draft import CRLF, Draft
from moorage.testing.fuzz.oddities import (
    BAD_FIELDS,
    CODINGS,
    CONNECTIONS,
    FIELDS,
    HEAD_ENDS,
    HOSTS,
    LENGTHS,
    LINE_ENDS,
    METHODS,
    SIZES,
    TARGETS,
    TRAILERS,
    VERSIONS,
)

Mutation = Callable[[random.Random, Draft], None]


def mutate_request(draw: random.Random, draft: Draft) -> None:
    """Spoil one to three things of a request."""
    for _ in range(draw.choice((1, 1, 1, 2, 2, 3))):
        _pick(draw, _OF_REQUESTS)(draw, draft)


def mutate_any(draw: random.Random, draft: Draft) -> None:
    """Spoil one thing that requests and answers have in common."""
    _pick(draw, _OF_ALL)(draw, draft)


def chunk(draw: random.Random, draft: Draft) -> None:
    """Frame the body in chunks, well."""
    _unframe(draft)
    draft.add(_anywhere(draw, draft), b"Transfer-Encoding: chunked")
    pieces = _cut(draw, draft.body)
    draft.body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    draft.is_chunked = True


def chunk_badly(draw: random.Random, draft: Draft) -> None:
    """Frame the body in chunks, with something odd in the chunks."""
    if not draft.is_chunked:
        chunk(draw, draft)
    _pick(draw, _OF_CHUNKS)(draw, draft)


def _pick(draw: random.Random, table: Sequence[Mutation]) -> Mutation:
    return table[draw.randrange(len(table))]


def _anywhere(draw: random.Random, draft: Draft) -> int:
    return draw.randint(1, len(draft.lines))


def _some_field(draw: random.Random, draft: Draft) -> int | None:
    return draw.randrange(1, len(draft.lines)) if len(draft.lines) > 1 else None


def _cut(draw: random.Random, body: bytes) -> list[bytes]:
    edges = sorted(draw.randint(0, len(body)) for _ in range(draw.randint(0, 4)))
    pieces = [body[start:end] for start, end in zip([0, *edges], [*edges, len(body)], strict=True)]
    return [piece for piece in pieces if piece]


def _unframe(draft: Draft) -> None:
    draft.drop(b"content-length")
    draft.drop(b"transfer-encoding")


# -- the start line ----------------------------------------------------------------------------------------------------


def _part_of_line(position: int, values: Sequence[bytes]) -> Mutation:
    def put(draw: random.Random, draft: Draft) -> None:
        parts = draft.start.split(b" ", 2)
        if position < len(parts):
            parts[position] = draw.choice(values)
        draft.start = b" ".join(parts)

    return put


def _space_line(draw: random.Random, draft: Draft) -> None:
    draft.start = draft.start.replace(b" ", draw.choice((b"  ", b"\t", b"", b" \t", b"\x0b", b"\r\n ")), 1)


# -- fields ------------------------------------------------------------------------------------------------------------


def _one_of(name: bytes, values: Sequence[bytes]) -> Mutation:
    def put(draw: random.Random, draft: Draft) -> None:
        if draw.random() < 0.5:
            draft.drop(name.lower())
        draft.add(_anywhere(draw, draft), name + draw.choice((b": ", b":", b":\t")) + draw.choice(values))

    return put


def _add(values: Sequence[bytes]) -> Mutation:
    def put(draw: random.Random, draft: Draft) -> None:
        draft.add(_anywhere(draw, draft), draw.choice(values))

    return put


def _repeat_field(draw: random.Random, draft: Draft) -> None:
    if (at := _some_field(draw, draft)) is not None:
        draft.lines.insert(_anywhere(draw, draft), draft.lines[at])


def _drop_field(draw: random.Random, draft: Draft) -> None:
    if (at := _some_field(draw, draft)) is not None:
        del draft.lines[at]


def _swap_fields(draw: random.Random, draft: Draft) -> None:
    fields = draft.lines[1:]
    draw.shuffle(fields)
    draft.lines[1:] = fields


def _change_case(draw: random.Random, draft: Draft) -> None:
    if (at := _some_field(draw, draft)) is not None:
        name, colon, value = draft.lines[at].partition(b":")
        draft.lines[at] = draw.choice((name.upper(), name.lower(), name.swapcase())) + colon + value


def _space_field(draw: random.Random, draft: Draft) -> None:
    if (at := _some_field(draw, draft)) is not None:
        name, colon, value = draft.lines[at].removesuffix(CRLF).partition(b":")
        space = draw.choice((b"", b" ", b"\t", b"  \t ", b"\x0c", b"\xa0", b"\r\n ", b"\r\n\t"))
        value = draw.choice(
            (space + value.strip(), value + space, value.replace(b" ", space), b" " + value.strip(b" "))
        )
        draft.lines[at] = name + colon + value + CRLF


def _bend_value(draw: random.Random, draft: Draft) -> None:
    if (at := _some_field(draw, draft)) is not None and len(draft.lines[at]) > 3:
        line = bytearray(draft.lines[at])
        line[draw.randrange(len(line) - 2)] = draw.choice(b"\x00\r\n\t\x7f\x80\xff :,;aA0/=%")
        draft.lines[at] = bytes(line)


def _end_line(draw: random.Random, draft: Draft) -> None:
    at = draw.randrange(len(draft.lines))
    draft.lines[at] = draft.lines[at].removesuffix(CRLF) + draw.choice(LINE_ENDS)


def _end_head(draw: random.Random, draft: Draft) -> None:
    draft.end = draw.choice(HEAD_ENDS)


def _swell(draw: random.Random, draft: Draft) -> None:
    many = draw.choice((90, 101, 2_000))
    swollen = draw.choice(
        ([b"X: y\r\n"] * many, [b"X-%d: y\r\n" % i for i in range(many)], [b"X: " + b"a" * 70_000 + CRLF])
    )
    draft.lines[1:1] = swollen


# -- bodies ------------------------------------------------------------------------------------------------------------


def _bend_body(draw: random.Random, draft: Draft) -> None:
    if draft.body:
        body = bytearray(draft.body)
        body[draw.randrange(len(body))] ^= 1 << draw.randrange(8)
        draft.body = bytes(body)


def _shorten_body(draw: random.Random, draft: Draft) -> None:
    draft.body = draft.body[: draw.randint(0, len(draft.body))]


def _lengthen_body(draw: random.Random, draft: Draft) -> None:
    draft.body += draw.choice(
        (b"\r\n", b"\n", b"\x00", b"x", b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n", b"0\r\n\r\n", b" " * 100)
    )


def _lie_about_length(draw: random.Random, draft: Draft) -> None:
    draft.drop(b"content-length")
    draft.add(
        _anywhere(draw, draft), b"Content-Length: %d" % max(0, len(draft.body) + draw.choice((-2, -1, 1, 2, 500)))
    )


def _both_framings(draw: random.Random, draft: Draft) -> None:
    length = len(draft.body)
    chunk(draw, draft)
    draft.add(_anywhere(draw, draft), b"Content-Length: %d" % draw.choice((0, length, len(draft.body))))


# -- chunks ------------------------------------------------------------------------------------------------------------


def _bend_size(draw: random.Random, draft: Draft) -> None:
    size, end, rest = draft.body.partition(CRLF)
    try:
        draft.body = draw.choice(SIZES) % int(size, 16) + end + rest
    except ValueError:
        draft.body = rest


def _bend_chunk_end(draw: random.Random, draft: Draft) -> None:
    before, _, after = draft.body.rpartition(CRLF + b"0")
    draft.body = before + draw.choice((b"\n", b"\r", b"", b"x\r\n", b"\r\n\r\n", b"\r\r\n", b" \r\n")) + b"0" + after


def _cut_chunks(draw: random.Random, draft: Draft) -> None:
    draft.body = draft.body[: draw.randint(0, len(draft.body))]


def _trail(draw: random.Random, draft: Draft) -> None:
    draft.body = draft.body.removesuffix(CRLF) + draw.choice(TRAILERS) + draw.choice((CRLF, CRLF, b"\n", b""))


def _misend_chunks(draw: random.Random, draft: Draft) -> None:
    ends = (
        b"0\r\n",
        b"0\n\n",
        b"0\r\n\n",
        b"\r\n",
        b"00\r\n\r\n",
        b"0;x\r\n\r\n",
        b"0 \r\n\r\n",
        b"0\r\n\r\n0\r\n\r\n",
    )
    draft.body = draft.body.removesuffix(b"0\r\n\r\n") + draw.choice(ends)


_OF_CHUNKS: Final = (_bend_size, _bend_size, _bend_chunk_end, _cut_chunks, _trail, _trail, _misend_chunks, _bend_body)
_OF_ALL: Final = (
    _one_of(b"Content-Length", LENGTHS),
    _one_of(b"Transfer-Encoding", CODINGS),
    _one_of(b"Connection", CONNECTIONS),
    _add(BAD_FIELDS),
    _repeat_field,
    _drop_field,
    _change_case,
    _space_field,
    _bend_value,
    _end_line,
    _end_head,
    _swell,
    _bend_body,
    _shorten_body,
    _lengthen_body,
    _lie_about_length,
    _both_framings,
    chunk,
    chunk_badly,
    chunk_badly,
)
_OF_REQUESTS: Final = (
    *_OF_ALL,
    _part_of_line(0, METHODS),
    _part_of_line(1, TARGETS),
    _part_of_line(1, TARGETS),
    _part_of_line(2, VERSIONS),
    _space_line,
    _one_of(b"Host", HOSTS),
    _add(FIELDS),
    _add(FIELDS),
    _add(FIELDS),
    _swap_fields,
)

"""The canonical forms that a version 4 signature is computed over, in bytes.

Source: AWS General Reference, "Create a signed AWS API request", and what botocore's `auth` module really does. Paths,
queries and headers are taken as they came over the wire; nothing is decoded unless it has to be.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import quote, unquote_to_bytes

Fields = Mapping[bytes, bytes]
"""Header fields by name in lower case, see `header_fields`."""

_UNRESERVED = "-_.~"
_SHORT_BYTES = 256


def service_path(path: bytes) -> bytes:
    """The path of every service but S3: dot segments and doubled slashes removed, then percent-encoded once more.

    `/endpoints/a%20b/x` becomes `/endpoints/a%2520b/x`.
    """
    return _short_service_path(path) if len(path) <= _SHORT_BYTES else _service_path(path)


def _service_path(path: bytes) -> bytes:
    kept: list[bytes] = []
    for segment in path.split(b"/"):
        if segment == b"..":
            del kept[-1:]
        elif segment not in (b"", b"."):
            kept.append(segment)
    trailing = b"/" if kept and path.endswith(b"/") else b""
    return quote(b"/" + b"/".join(kept) + trailing, safe="/~").encode()


# Enough for every endpoint there is, and nobody fills the memory with what is long.
_short_service_path = functools.lru_cache(maxsize=16_384)(_service_path)


def object_path(path: bytes) -> bytes:
    """The path of S3 as the specification has it: all but unreserved bytes and the `/` between segments encoded."""
    return b"/".join([_encoded(segment) for segment in path.split(b"/")])


def sorted_query(query: bytes, *, without: bytes | None = None) -> bytes:
    """The query's pairs as sent, sorted by name, then value; a name without `=` gets one. `without` is left out."""
    if not query:
        return b""
    pairs = sorted(pair.partition(b"=")[::2] for pair in query.split(b"&"))
    return b"&".join([b"%b=%b" % pair for pair in pairs if pair[0] != without])


def encoded_query(query: bytes, *, without: bytes | None = None) -> bytes:
    """As `sorted_query`, with names and values encoded as the specification has it, however they were sent."""
    return sorted_query(b"&".join(_encoded_pair(pair) for pair in query.split(b"&") if pair), without=without)


def _encoded_pair(pair: bytes) -> bytes:
    name, _, value = pair.partition(b"=")
    return b"%b=%b" % (_encoded(name), _encoded(value))


def _encoded(part: bytes) -> bytes:
    return quote(unquote_to_bytes(part), safe=_UNRESERVED).encode()


def header_fields(headers: Iterable[tuple[bytes, bytes]]) -> Fields:
    """One value a name: those of a repeated name are folded and joined by commas, as they are signed."""
    items = list(headers)
    fields = dict(items)
    if len(fields) == len(items):
        return fields
    values: dict[bytes, list[bytes]] = {}
    for name, value in items:
        values.setdefault(name, []).append(fold(value))
    return {name: b",".join(several) for name, several in values.items()}


def fold(value: bytes) -> bytes:
    """`value` without white space at its ends, and every run of it within as one space."""
    return b" ".join(value.split())


class HeaderBlock:
    """Writes `name:value\\n` for each signed header. One is kept for each list of names that clients use."""

    def __init__(self, names: Sequence[bytes]) -> None:
        self._template = b"".join(b"%b:%%b\n" % name.replace(b"%", b"%%") for name in names)
        self._names = names
        self._values = operator.itemgetter(*names)

    def write(self, fields: Fields) -> bytes:
        """Raises KeyError if a header is missing."""
        block: bytes = self._template % self._values(fields)
        # Folding values costs 2 µs a request, and most have nothing to fold.
        if block.find(b" ") >= 0 or block.find(b"\t") >= 0:
            return b"".join([b"%b:%b\n" % (name, fold(fields[name])) for name in self._names])
        return block

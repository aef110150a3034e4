"""One request to a model and what it is answered, whatever brought it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from moorage.runtime.context import Context
from moorage.runtime.streaming import Pieces
from moorage.wire.messages import HeaderList


@dataclass(slots=True)
class Call:
    """A request's body and headers. `fields` are the headers by name, in lower case."""

    body: bytes
    headers: HeaderList
    fields: Mapping[bytes, bytes]


@dataclass(slots=True)
class Answer:
    """A successful answer. A generator may set its type and headers until its first piece is made: ask it first."""

    body: bytes | Pieces
    media: str
    """What was asked for, or what a hook returned with the body."""
    context: Context | None = None

    @property
    def content_type(self) -> str:
        """What the script says it is, else what was asked for."""
        return (self.context.answer_type if self.context is not None else None) or self.media

    def head(self) -> HeaderList | bytes:
        """The header fields of the answer: its type, and what the script added."""
        if self.context is None:
            return _type_field(self.media)
        added = self.context.answer_headers.items()
        fields = [(name.encode("latin-1", "replace"), value.encode()) for name, value in added]
        return [(b"content-type", self.content_type.encode("latin-1", "replace")), *fields]


Outcome = Answer | Exception
"""RequestRefused for a request at fault; any other exception is the model's."""


@lru_cache(maxsize=64)
def _type_field(media: str) -> bytes | HeaderList:
    """As bytes, which the wire sends as they are, only if nothing in it can break out of its line."""
    value = media.encode("latin-1", "replace")
    return b"content-type: %b\r\n" % value if media.isprintable() else [(b"content-type", value)]

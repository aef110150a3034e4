"""A message in pieces that can be spoilt one by one: lines as they go out, each with its own end. No judgement here."""

from __future__ import annotations

from dataclasses import dataclass, field

CRLF = b"\r\n"


@dataclass(slots=True)
class Draft:
    """A request or an answer. `lines` are the start line and the header fields, each with its line end."""

    lines: list[bytes]
    body: bytes = b""
    end: bytes = CRLF
    """What ends the head."""
    is_chunked: bool = field(default=False)

    @property
    def wire(self) -> bytes:
        """The message as it goes out."""
        return b"".join(self.lines) + self.end + self.body

    @property
    def start(self) -> bytes:
        """The start line without its end."""
        return self.lines[0].removesuffix(CRLF)

    @start.setter
    def start(self, line: bytes) -> None:
        self.lines[0] = line + CRLF

    def add(self, position: int, field_line: bytes) -> None:
        """Put a header field in; position 1 is the first."""
        self.lines.insert(max(1, position), field_line + CRLF)

    def drop(self, name: bytes) -> None:
        """Take out every field of that name (lower case)."""
        self.lines[1:] = [line for line in self.lines[1:] if line.partition(b":")[0].lower() != name]

    def value(self, name: bytes) -> bytes | None:
        """The first value of that name (lower case)."""
        for line in self.lines[1:]:
            key, _, value = line.partition(b":")
            if key.lower() == name:
                return value.strip()
        return None


def draft_of(message: bytes) -> Draft:
    """Take a well-formed message apart."""
    head, _, body = message.partition(CRLF + CRLF)
    return Draft([line + CRLF for line in head.split(CRLF)], body)

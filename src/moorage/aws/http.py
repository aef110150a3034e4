"""The request and response that the protocols translate from and to. No sockets here."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field


class Headers:
    """Header fields in order, looked up without regard to case. Names and values are text, decoded as Latin-1."""

    __slots__ = ("_items",)

    def __init__(self, items: list[tuple[str, str]] | None = None) -> None:
        self._items = list(items or [])

    def get(self, name: str, default: str | None = None) -> str | None:
        """The first value of `name`, or `default`."""
        lowered = name.lower()
        return next((value for key, value in self._items if key.lower() == lowered), default)

    def get_all(self, name: str) -> list[str]:
        """Every value of `name`, in order."""
        lowered = name.lower()
        return [value for key, value in self._items if key.lower() == lowered]

    def add(self, name: str, value: str) -> None:
        """Append a field, keeping others of the same name."""
        self._items.append((name, value))

    def set(self, name: str, value: str) -> None:
        """Put a field in the place of every other of the same name."""
        lowered = name.lower()
        self._items = [(key, old) for key, old in self._items if key.lower() != lowered]
        self._items.append((name, value))

    def items(self) -> list[tuple[str, str]]:
        """All fields in order, names as they were written."""
        return list(self._items)

    def __contains__(self, name: str) -> bool:
        return self.get(name) is not None

    def __repr__(self) -> str:
        return f"Headers({self._items!r})"


@dataclass(slots=True)
class HttpRequest:
    """A request whose head has arrived. `path` and `query` are as sent, still percent-encoded, without the `?`."""

    method: str
    path: str
    query: str
    headers: Headers
    body: bytes = b""
    """Whole for every operation but those with a streaming payload, which read `stream`."""
    stream: AsyncIterator[bytes] | None = None


@dataclass(slots=True)
class HttpResponse:
    """A response. A streaming body is iterated once, and closed (`aclose`) if the client leaves before its end."""

    status: int
    headers: Headers = field(default_factory=Headers)
    body: bytes | AsyncIterator[bytes] = b""

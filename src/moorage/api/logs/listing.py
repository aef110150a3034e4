"""Pages of a list. A token is the place of the last item in the list's order; it is only compared with others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NotRequired, TypedDict, TypeVar

T = TypeVar("T")
LIMIT_DEFAULT: Final = 50


class NextToken(TypedDict):
    """Where the next page goes on, if there is one."""

    nextToken: NotRequired[str]


def page_behind(
    places: Sequence[tuple[str, T]], token: str | None, *, is_behind: Callable[[str, str], bool], limit: int
) -> tuple[list[T], NextToken]:
    """The items behind the token's place, and the token for what comes after them."""
    rest = [place for place in places if token is None or is_behind(place[0], token)]
    page = rest[:limit]
    more: NextToken = {"nextToken": page[-1][0]} if len(rest) > len(page) else {}
    return [item for _, item in page], more

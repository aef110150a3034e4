"""What checks of compiled models came to, so that the next instance of the same container is ready sooner.

An instance is code that nobody trusts, and so is what it says of itself. Hence the key: all that its process was made
of, so that what it says can only concern instances that run the very same code on the same data. Hence the time: before
it is ready no request has reached it, and so nobody who asks it has had a say. All that a wrong verdict does is have a
model's own answers differ from what it would have said. It is kept in memory only, and gone with the agent.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping, Sequence, Set
from typing import Annotated, Any, Final

import msgspec

_COUNT_MAX: Final = 10_000


class Verdict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`moorage.runtime.trees.verdict.Verdict` is the other end."""

    rows: Annotated[int, msgspec.Meta(ge=0, le=1 << 20)]
    quickened: bool
    reason: Annotated[str, msgspec.Meta(max_length=1024)]


class Verdicts:
    """The verdicts by key, those that were asked for last."""

    def __init__(self) -> None:
        self._verdicts: OrderedDict[str, Verdict] = OrderedDict()

    def find(self, key: str) -> Verdict | None:
        """What is known."""
        if key in self._verdicts:
            self._verdicts.move_to_end(key)
        return self._verdicts.get(key)

    def note(self, key: str, said: bytes) -> None:
        """An instance has said what it found. What is no verdict is not kept."""
        try:
            self._verdicts[key] = msgspec.json.decode(said, type=Verdict)
        except msgspec.MsgspecError:
            return
        if len(self._verdicts) > _COUNT_MAX:
            self._verdicts.popitem(last=False)


def key_of(*, data: Set[str], framework: str, python: Sequence[str], environment: Mapping[str, Any]) -> str:
    """The key of a container: the digests of all its data, what it runs from, and its own environment variables."""
    made_of = {"data": sorted(data), "framework": framework, "python": list(python), "environment": dict(environment)}
    return hashlib.sha256(msgspec.json.encode(made_of, order="sorted")).hexdigest()

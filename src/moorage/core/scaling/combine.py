"""What several policies' wishes, the bounds and a suspension come to.

Out if any policy wants more, in only if every policy that may scale in wants less; the largest capacity wins.
Source: Application Auto Scaling user guide, "How target tracking scaling works", "Multiple policies".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from moorage.core.scaling.activity import NotScaled, NotScaledCode
from moorage.core.scaling.model import Bounds, Suspension
from moorage.core.scaling.wish import Wish


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be done, or why nothing is."""

    policy: str
    """Whose wish it was."""
    why: str
    capacity: int | None = None
    """To be set. None: not to be changed."""
    not_scaled: NotScaled | None = None
    """Why a wish for another capacity came to nothing."""
    base: int | None = None
    """See `Wish.base`."""


def combine(
    wishes: Mapping[str, Wish | None], bounds: Bounds, suspension: Suspension, *, current: int
) -> Verdict | None:
    """What the wishes of all policies come to, by name; of those that only ever want more, only such wishes.

    None where nobody wants anything else, or where capacity may not be taken away as one of them knows nothing.
    """
    known = {name: wish for name, wish in wishes.items() if wish is not None}
    if not known:
        return None
    name, wish = max(known.items(), key=lambda item: (item[1].capacity, item[0]))
    if wish.capacity > current:
        return _out(name, wish, bounds, suspension, current=current)
    if wish.capacity < current and len(known) == len(wishes):
        return _in(name, wish, bounds, suspension, current=current)
    return None


def _out(name: str, wish: Wish, bounds: Bounds, suspension: Suspension, *, current: int) -> Verdict:
    if suspension.scale_out:
        return Verdict(name, f"{wish.why}, but scaling out is suspended")
    wanted = bounds.clamp(wish.capacity)
    if wanted <= current:
        refused = NotScaled(NotScaledCode.AT_MAXIMUM, maximum=bounds.maximum, current=current)
        return Verdict(name, wish.why, not_scaled=refused)
    return Verdict(name, wish.why, wanted, base=wish.base)


def _in(name: str, wish: Wish, bounds: Bounds, suspension: Suspension, *, current: int) -> Verdict:
    if suspension.scale_in:
        return Verdict(name, f"{wish.why}, but scaling in is suspended")
    wanted = bounds.clamp(wish.capacity)
    if wanted >= current:
        refused = NotScaled(NotScaledCode.AT_MINIMUM, minimum=bounds.minimum, current=current)
        return Verdict(name, wish.why, not_scaled=refused)
    return Verdict(name, wish.why, wanted)

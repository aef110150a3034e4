"""Step scaling: capacity changes by as much as an alarm's metric is beyond the threshold.

Bounds of steps are differences from the threshold. Above it the lower one belongs to the step and the upper does not,
below it the other way round, so every difference is in one step at most.

During the cooldown, what the last scale-out has added counts as part of the next: a larger step only adds the rest.
So does what that one has added, as all of them are reckoned from the capacity before the first: a metric that stays
where it is leads to nothing more.
Source: Application Auto Scaling user guide, "Step scaling policies".
"""

from __future__ import annotations

import math
from datetime import datetime

from moorage.core.scaling.model import Memory
from moorage.core.scaling.policies import AdjustmentType, Step, StepScaling
from moorage.core.scaling.wish import Wish


def decide(policy: StepScaling, breach: float, memory: Memory, *, current: int, now: datetime) -> Wish | None:
    """What the policy wants where the metric is `breach` above the threshold; None where no step is meant for that."""
    step = next((step for step in policy.steps if _covers(step, breach)), None)
    if step is None:
        return None
    last = memory.scale_out
    is_cooling = last is not None and now < last.at + policy.cooldown
    base = min(current, last.base) if last is not None and is_cooling else current
    wanted = _adjusted(policy, step.adjustment, base)
    if wanted < current and (is_cooling or _has_just_scaled_in(policy, memory, now)):
        return Wish(current, "the last scaling activity has to take effect first (Cooldown)")
    return Wish(wanted, f"the metric is {breach:+g} from the threshold, which means {_said(policy, step)}", base)


def _covers(step: Step, breach: float) -> bool:
    lower = -math.inf if step.lower is None else step.lower
    upper = math.inf if step.upper is None else step.upper
    return lower <= breach < upper if breach >= 0 else lower < breach <= upper


def _adjusted(policy: StepScaling, adjustment: int, base: int) -> int:
    match policy.adjustment_type:
        case AdjustmentType.EXACT:
            return adjustment
        case AdjustmentType.CHANGE:
            return max(0, base + adjustment)
        case AdjustmentType.PERCENT:
            return max(0, base + _percent(adjustment, base, policy.magnitude_min))


def _percent(adjustment: int, base: int, magnitude_min: int) -> int:
    """Rounded as the service does it: towards zero, but a change of less than one is one."""
    change = base * adjustment / 100
    size = max(math.floor(abs(change)), magnitude_min, 1)
    return size if adjustment > 0 else -size if adjustment < 0 else 0


def _has_just_scaled_in(policy: StepScaling, memory: Memory, now: datetime) -> bool:
    return memory.scale_in_at is not None and now < memory.scale_in_at + policy.cooldown


def _said(policy: StepScaling, step: Step) -> str:
    return f"{policy.adjustment_type.value} {step.adjustment:+d}"

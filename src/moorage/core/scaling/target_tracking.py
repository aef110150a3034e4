"""The service's own rule of target tracking, on the values of a metric by minute.

    capacity  metric  target   wanted
    1         200     70       3        200/70 = 2.9, rounded up
    3         67      70       3        between 0.9 times the target and the target nothing changes
    3         10      70       1        30/70 = 0.4, rounded up

During the scale-out cooldown, what the last scale-out has added counts as part of what is wanted: the metric is still
that of the capacity before it. So only a demand that has grown beyond it leads to more.
Source: Application Auto Scaling user guide, "Target tracking scaling policies", "Cooldown periods".
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from moorage.core.scaling.model import Memory
from moorage.core.scaling.policies import TargetTracking
from moorage.core.scaling.wish import Wish, instances_for

SCALE_IN_SHARE: Final = 0.9
"""Of the target, below which capacity is taken away (observed of AlarmLow's threshold)."""


def decide(
    policy: TargetTracking, values: Sequence[float | None], memory: Memory, *, current: int, now: datetime
) -> Wish | None:
    """What the policy wants, given the metric's last values, oldest first; None where the metric says nothing.

    Whether a value has been beyond the threshold for long enough is for the alarms to say. On the way out the last
    value counts; on the way in, the highest, so that what is left would have carried all of them.
    """
    known = [value for value in values if value is not None]
    if not known or values[-1] is None:
        return None
    if known[-1] > policy.target_value:
        return _out(policy, known[-1], memory, current=current, now=now)
    if max(known) < SCALE_IN_SHARE * policy.target_value:
        return _in(policy, max(known), memory, current=current, now=now)
    return Wish(current, f"{known[-1]:g} is near the target of {policy.target_value:g}")


def _out(policy: TargetTracking, metric: float, memory: Memory, *, current: int, now: datetime) -> Wish:
    last, base = memory.scale_out, current
    if last is not None and now < last.at + policy.scale_out_cooldown:
        base = min(current, last.base)
    wanted = instances_for(max(base, 1) * metric, each=policy.target_value)
    if wanted <= current:
        return Wish(current, "the last scale-out has to take effect first (ScaleOutCooldown)")
    return Wish(wanted, f"{metric:g} is above the target of {policy.target_value:g}")


def _in(policy: TargetTracking, metric: float, memory: Memory, *, current: int, now: datetime) -> Wish:
    wanted = min(current, instances_for(current * metric, each=policy.target_value))
    if not policy.scales_in:
        return Wish(current, "scale-in is disabled (DisableScaleIn)")
    if is_cooling(policy, memory, now=now):
        return Wish(current, "the last scale-in is too recent (ScaleInCooldown)")
    return Wish(wanted, f"{metric:g} is below {SCALE_IN_SHARE:g} times the target of {policy.target_value:g}")


def is_cooling(policy: TargetTracking, memory: Memory, *, now: datetime) -> bool:
    """Whether a scale-in is too recent for another one."""
    return memory.scale_in_at is not None and now < memory.scale_in_at + policy.scale_in_cooldown

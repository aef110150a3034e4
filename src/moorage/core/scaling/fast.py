"""Target tracking on a signal of one second: the service's targets, reached within seconds instead of minutes.

The signal is the demand of the whole variant, so it does not depend on how many instances there were, and what was
just added needs no cooldown to be accounted for: to want the same twice is to want it once.

*Out* when each of the last two seconds is above the target, and the shortest stretch of seconds is found that is
evidence: it has brought a third of what an instance is to get in a minute, and is above the target by more than
chance (five standard deviations of a count, as it is looked at every second for ever). Ten times the target are seen
in two seconds, three times seventy invocations a minute in twenty. How much is wanted is what the busiest latter part
of that stretch says, as it may have begun before the demand did, less half a deviation: growth goes on as soon as
there is evidence for more, what was too much stays for a cooldown.
What is above the target by less than that is found as the service does: by three minutes that all are.

*In* when the busiest minute that ended within the scale-in cooldown was below nine tenths of the target, to as much as
would have had the busiest one that also began within it below nine tenths: so that the next minute, which is never
quite like the last, does not lead out again. Not before demand has been known for as long, as what was not counted may
have been anything; and not within a cooldown of a scale-out, whose two seconds weigh little in a minute.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from moorage.core.scaling.demand import MINUTE_S, MINUTES, Demand
from moorage.core.scaling.model import Memory
from moorage.core.scaling.policies import TargetTracking
from moorage.core.scaling.target_tracking import SCALE_IN_SHARE, is_cooling
from moorage.core.scaling.wish import Wish, instances_for

_SUSTAINED_S: Final = 2
EVIDENCE_SHARE: Final = 1 / 3
"""Of what an instance is to get in a minute."""
DEVIATIONS: Final = 5.0


def known_for_s(policy: TargetTracking) -> int:
    """For how many seconds demand has to be known before capacity is taken away."""
    return max(MINUTE_S, round(policy.scale_in_cooldown.total_seconds()))


def decide_by_count(
    policy: TargetTracking, demand: Demand, memory: Memory, *, current: int, now: datetime
) -> Wish | None:
    """What the policy wants for `demand` in invocations, its target being those of an instance in a minute.

    None while too little is known to say.
    """
    capacity_per_minute = current * policy.target_value
    seconds = _evident_excess(demand, per_minute=capacity_per_minute, evidence=EVIDENCE_SHARE * policy.target_value)
    if seconds is not None:
        return _out_by_count(policy, demand, seconds)
    if len(demand.minutes) == MINUTES and min(demand.minutes) > capacity_per_minute:
        return _out_by_minutes(policy, demand.minutes)
    return _in(policy, demand, memory, current=current, now=now, unit="invocations")


def decide_by_level(
    policy: TargetTracking, demand: Demand, memory: Memory, *, current: int, now: datetime
) -> Wish | None:
    """What the policy wants for `demand` in requests on instances at the end of each second, its target those of one.

    None while too little is known to say.
    """
    level = _least_mean(demand)
    if level is not None and level > current * policy.target_value:
        wanted = instances_for(level, each=policy.target_value)
        return Wish(wanted, f"{level:.1f} requests at once are above the target of {policy.target_value:g} an instance")
    mean = replace(demand, peak=demand.peak / MINUTE_S, lasting_peak=demand.lasting_peak / MINUTE_S)
    return _in(policy, mean, memory, current=current, now=now, unit="requests at once")


def _evident_excess(demand: Demand, *, per_minute: float, evidence: float) -> int | None:
    """The shortest stretch of seconds that shows that demand is above `per_minute`."""
    sums, per_second = demand.sums, per_minute / MINUTE_S
    if len(sums) < _SUSTAINED_S or min(sums[0], sums[1] - sums[0]) <= per_second:
        return None
    for seconds, count in enumerate(sums[_SUSTAINED_S - 1 :], _SUSTAINED_S):
        if count >= evidence and count - DEVIATIONS * math.sqrt(count) > seconds * per_second:
            return seconds
    return None


def _out_by_count(policy: TargetTracking, demand: Demand, seconds: int) -> Wish:
    parts = range(max(_SUSTAINED_S, math.ceil(seconds / 2)), seconds + 1)
    busiest = max(parts, key=lambda part: _certain_per_minute(demand, part))
    wanted = instances_for(_certain_per_minute(demand, busiest), each=policy.target_value)
    count = demand.sums[busiest - 1]
    return Wish(
        wanted,
        f"{count:g} invocations in {busiest} s are above the target of {policy.target_value:g} an instance and minute",
    )


def _certain_per_minute(demand: Demand, seconds: int) -> float:
    count = demand.sums[seconds - 1]
    return (count - math.sqrt(count) / 2) * MINUTE_S / seconds


def _out_by_minutes(policy: TargetTracking, minutes: Sequence[float]) -> Wish:
    wanted = instances_for(minutes[-1], each=policy.target_value)
    counts = ", ".join(f"{count:g}" for count in minutes)
    return Wish(wanted, f"{counts} invocations a minute are above the target of {policy.target_value:g} an instance")


def _least_mean(demand: Demand) -> float | None:
    """The lower one of the last second's level and the mean of three: what is not over with the next second."""
    if len(demand.sums) < 3:
        return None
    return min(demand.sums[0], demand.sums[2] / 3)


def _in(
    policy: TargetTracking, demand: Demand, memory: Memory, *, current: int, now: datetime, unit: str
) -> Wish | None:
    needed_s = known_for_s(policy)
    if demand.known_s < needed_s:
        return None
    if demand.peak >= SCALE_IN_SHARE * policy.target_value * current:
        return Wish(current, f"{demand.peak:g} {unit} are near the target of {policy.target_value:g} an instance")
    if not policy.scales_in:
        return Wish(current, "scale-in is disabled (DisableScaleIn)")
    if is_cooling(policy, memory, now=now) or _has_just_scaled_out(policy, memory, now=now):
        return Wish(current, "the last scaling activity is too recent (ScaleInCooldown)")
    wanted = min(current, instances_for(demand.lasting_peak, each=SCALE_IN_SHARE * policy.target_value))
    share = f"{SCALE_IN_SHARE:g} times the target of {policy.target_value:g} an instance"
    return Wish(wanted, f"at most {demand.lasting_peak:g} {unit} within {needed_s} s are below {share}")


def _has_just_scaled_out(policy: TargetTracking, memory: Memory, *, now: datetime) -> bool:
    return memory.scale_out is not None and now < memory.scale_out.at + policy.scale_in_cooldown

"""What is known of one target between two looks at the store: its policies, its endpoint, its signals, its wishes.

Nothing here is kept: after a restart it is read and measured anew, and until then nobody wishes anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from moorage.control.scaling.speed import ScalingSpeed
from moorage.core.scaling import fast
from moorage.core.scaling.combine import Verdict, combine
from moorage.core.scaling.demand import DemandWindow
from moorage.core.scaling.model import ScalableTarget, ScalingPolicy
from moorage.core.scaling.policies import PredefinedMetric, TargetTracking, read_tracking
from moorage.core.scaling.texts import by_alarm, by_signal
from moorage.core.scaling.wish import Wish

GAP_S_MAX: Final = 10
"""Between two takings of the counts, beyond which the time between them does not count as one without demand."""
FRESH_FOR: Final = timedelta(seconds=150)
"""An alarm's action is repeated every minute: an older wish is over."""


class Signal(NamedTuple):
    """What was counted of a variant in one second."""

    invocations: int
    in_flight: int


SILENCE: Final = Signal(0, 0)


@dataclass(frozen=True, slots=True)
class AlarmWish:
    """What a policy wanted when its alarm called."""

    wish: Wish
    alarm: str
    at: datetime


@dataclass(slots=True)
class Watch:
    """One target."""

    target: ScalableTarget
    policies: tuple[ScalingPolicy, ...]
    capacity: int | None
    """Instances desired in service; None if the variant has none that serve."""
    is_scalable: bool
    windows: dict[str, DemandWindow] = field(default_factory=dict)
    """By policy, of those that go by the signal of one second."""
    alarm_wishes: dict[str, AlarmWish] = field(default_factory=dict)

    def refresh(self, target: ScalableTarget, policies: tuple[ScalingPolicy, ...], speed: ScalingSpeed) -> None:
        """Go by what the store has now. Signals go on, but for policies that changed."""
        kept = {policy.name: policy for policy in self.policies}
        self.target, self.policies = target, policies
        quick = {policy.name for policy in policies if is_quick(policy, speed)}
        for policy in policies:
            if kept.get(policy.name) != policy or policy.name not in quick:
                self.windows.pop(policy.name, None)
                self.alarm_wishes.pop(policy.name, None)
            tracking = read_tracking(policy)
            if policy.name in quick and policy.name not in self.windows and tracking is not None:
                self.windows[policy.name] = DemandWindow(fast.known_for_s(tracking))
        gone = kept.keys() - {policy.name for policy in policies}
        for name in gone:
            self.windows.pop(name, None)
            self.alarm_wishes.pop(name, None)

    def measure(self, until_s: int, signals: Mapping[int, Signal]) -> None:
        """Take in what was counted by second; every second before `until_s` is complete."""
        for policy in self.policies:
            window = self.windows.get(policy.name)
            if window is None:
                continue
            counts = _predefined(policy) is PredefinedMetric.INVOCATIONS_PER_INSTANCE
            for second in range(_begin(window, until_s), until_s):
                signal = signals.get(second, SILENCE)
                window.add(second, signal.invocations if counts else signal.in_flight)

    def verdict(self, *, instances_max: int, now: datetime) -> Verdict | None:
        """What all policies come to now; None if that is no change, or not known."""
        if self.capacity is None:
            return None
        wishes, bounds = self._wishes(self.capacity, now), self.target.bounds.limited(instances_max)
        return combine(wishes, bounds, self.target.suspension, current=self.capacity)

    def cause(self, verdict: Verdict) -> str:
        """What an activity says led to it."""
        called = self.alarm_wishes.get(verdict.policy)
        return by_signal(verdict.policy) if called is None else by_alarm(called.alarm, verdict.policy)

    def _wishes(self, current: int, now: datetime) -> dict[str, Wish | None]:
        """Of every policy that has a say: without one of those, capacity may be added but not taken away."""
        wishes: dict[str, Wish | None] = {}
        for policy in self.policies:
            tracking = read_tracking(policy)
            wish = self._wish(policy, tracking, current, now)
            wants_more = wish is not None and wish.capacity > current
            has_a_say = wish is not None if tracking is None else tracking.scales_in
            if wants_more or has_a_say:
                wishes[policy.name] = wish
        return wishes

    def _wish(self, policy: ScalingPolicy, tracking: TargetTracking | None, current: int, now: datetime) -> Wish | None:
        window = self.windows.get(policy.name)
        if window is None or tracking is None:
            called = self.alarm_wishes.get(policy.name)
            return called.wish if called is not None and now - called.at <= FRESH_FOR else None
        demand = window.demand()
        if demand is None:
            return None
        counts = tracking.predefined is PredefinedMetric.INVOCATIONS_PER_INSTANCE
        decide = fast.decide_by_count if counts else fast.decide_by_level
        return decide(tracking, demand, self.target.memory, current=current, now=now)


def _begin(window: DemandWindow, until_s: int) -> int:
    """The first second to be added: after longer than a moment without counts, what was meanwhile is not known."""
    last_s = window.last_s
    return until_s - 1 if last_s is None or until_s - last_s > GAP_S_MAX else last_s + 1


def is_quick(policy: ScalingPolicy, speed: ScalingSpeed) -> bool:
    """Whether a policy goes by the signal of one second, and so not by its alarms: nothing is done twice."""
    return speed is ScalingSpeed.FAST and _predefined(policy) is not None


def _predefined(policy: ScalingPolicy) -> PredefinedMetric | None:
    tracking = read_tracking(policy)
    return None if tracking is None else tracking.predefined

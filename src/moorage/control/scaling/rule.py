"""A policy at work: the signal it goes by, or what it wanted when its alarm last called.

Nothing here is kept: after a restart it is measured anew, and until then the policy wishes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from moorage.control.scaling.speed import ScalingSpeed
from moorage.core.scaling import fast
from moorage.core.scaling.demand import DemandWindow
from moorage.core.scaling.model import Memory, ScalingPolicy
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

    def joined(self, other: Signal) -> Signal:
        """Both, of two series or of two parts of the second."""
        return Signal(self.invocations + other.invocations, self.in_flight + other.in_flight)

    def without_level(self) -> Signal:
        """What is added up over time, without what was so at the second's end."""
        return Signal(self.invocations, 0)


SILENCE: Final = Signal(0, 0)


@dataclass(frozen=True, slots=True)
class AlarmWish:
    """What a policy wanted when its alarm called."""

    wish: Wish
    alarm: str
    at: datetime
    at_capacity: int
    """Of another capacity it says nothing: what was to add instances to two would take them away from ten."""

    def holds(self, *, current: int, now: datetime) -> bool:
        """Whether it is still what the policy wants."""
        return self.at_capacity == current and now - self.at <= FRESH_FOR


@dataclass(slots=True)
class Rule:
    """One policy of a target."""

    policy: ScalingPolicy
    tracking: TargetTracking | None
    """None of a step policy."""
    window: DemandWindow | None
    """None if the policy goes by alarms."""
    called: AlarmWish | None = None

    @property
    def must_agree(self) -> bool:
        """Whether nothing is taken away without its wish, even if it knows nothing."""
        return self.tracking is not None and self.tracking.scales_in

    def measure(self, until_s: int, signals: Mapping[int, Signal]) -> None:
        """Take in what was counted by second; every second before `until_s` is complete."""
        if self.window is None:
            return
        for second in range(_begin(self.window, until_s), until_s):
            signal = signals.get(second, SILENCE)
            self.window.add(second, signal.invocations if self._counts else signal.in_flight)

    def forget(self) -> None:
        """Begin anew: what was measured, or wanted, says nothing any more."""
        self.called = None
        if self.window is not None and self.tracking is not None:
            self.window = DemandWindow(fast.known_for_s(self.tracking))

    def wish(self, memory: Memory, *, current: int, now: datetime) -> Wish | None:
        """What the policy wants now."""
        if self.window is None or self.tracking is None:
            called = self.called
            return called.wish if called is not None and called.holds(current=current, now=now) else None
        demand = self.window.demand()
        if demand is None:
            return None
        decide = fast.decide_by_count if self._counts else fast.decide_by_level
        return decide(self.tracking, demand, memory, current=current, now=now)

    @property
    def cause(self) -> str:
        """What an activity says led to it."""
        return by_signal(self.policy.name) if self.called is None else by_alarm(self.called.alarm, self.policy.name)

    @property
    def _counts(self) -> bool:
        """Whether demand is a number of invocations, not of requests at once."""
        return self.tracking is not None and self.tracking.predefined is PredefinedMetric.INVOCATIONS_PER_INSTANCE


def make_rule(policy: ScalingPolicy, speed: ScalingSpeed) -> Rule:
    """A policy that has nothing to go by yet."""
    tracking = read_tracking(policy)
    if tracking is None or not is_quick(policy, speed):
        return Rule(policy, tracking, None)
    return Rule(policy, tracking, DemandWindow(fast.known_for_s(tracking)))


def is_quick(policy: ScalingPolicy, speed: ScalingSpeed) -> bool:
    """Whether a policy goes by the signal of one second, and so not by its alarms: nothing is done twice."""
    tracking = read_tracking(policy)
    return speed is ScalingSpeed.FAST and tracking is not None and tracking.predefined is not None


def _begin(window: DemandWindow, until_s: int) -> int:
    """The first second to be added: after longer than a moment without counts, what was meanwhile is not known."""
    last_s = window.last_s
    return until_s - 1 if last_s is None or until_s - last_s > GAP_S_MAX else last_s + 1

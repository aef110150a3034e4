"""What is known of one target between two looks at the store: its bounds, its policies at work, its endpoint."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from moorage.control.scaling.rule import SILENCE, AlarmWish, Rule, Signal, make_rule
from moorage.control.scaling.speed import ScalingSpeed
from moorage.core.idling import BUSY_MAX
from moorage.core.model import Endpoint
from moorage.core.scaling.changes import capacity_of, is_scalable
from moorage.core.scaling.combine import Verdict, combine
from moorage.core.scaling.model import ScalableTarget, ScalingPolicy
from moorage.core.scaling.wish import Wish


@dataclass(slots=True)
class Watch:
    """One target."""

    target: ScalableTarget
    rules: dict[str, Rule] = field(default_factory=dict)
    """By the policy's name."""
    capacity: int | None = None
    """Instances desired in service; None if the variant has none that serve."""
    is_scalable: bool = False
    """Whether the endpoint lets its capacity be changed now."""
    woken_s: int | None = None
    """When a request gave an instance to the variant, which had none, as long as nothing has been counted since.

    Who waits for an instance is counted only when answered: as long, nothing being counted is no lack of demand.
    """
    measured_until_s: int = 0
    ahead: dict[int, Signal] = field(default_factory=dict)
    """What was counted of seconds that are not complete yet."""

    def refresh(self, target: ScalableTarget, policies: Iterable[ScalingPolicy], speed: ScalingSpeed) -> None:
        """Go by what the store has now. Policies that are as they were go on."""
        self.target = target
        known = self.rules
        self.rules = {
            policy.name: known[policy.name]
            if policy.name in known and known[policy.name].policy == policy
            else make_rule(policy, speed)
            for policy in policies
        }

    def see(self, endpoint: Endpoint | None) -> None:
        """Go by the endpoint as it is now."""
        before = self.capacity
        self.capacity = None if endpoint is None else capacity_of(endpoint, self.target.key.variant)
        if before == 0 and self.capacity:
            self.woken_s = self.measured_until_s
        self.is_scalable = endpoint is not None and is_scalable(endpoint)

    def measure(self, until_s: int, signals: Mapping[int, Signal]) -> None:
        """Take in what was counted by second; every second before `until_s` is complete.

        What comes late counts with the first second that has not been measured: it was asked for all the same.
        """
        for second, signal in signals.items():
            is_late = second < self.measured_until_s
            at_s = self.measured_until_s if is_late else second
            self.ahead[at_s] = self.ahead.get(at_s, SILENCE).joined(signal if not is_late else signal.without_level())
        if self.woken_s is not None and self._is_awake(self.woken_s, until_s):
            self.woken_s = None
            for rule in self.rules.values():
                rule.forget()
        for rule in self.rules.values():
            rule.measure(until_s, self.ahead)
        self.ahead = {second: signal for second, signal in self.ahead.items() if second >= until_s}
        self.measured_until_s = max(self.measured_until_s, until_s)

    def call(self, policy: str, wish: AlarmWish) -> None:
        """Take in what a policy wants whose alarm has called."""
        if policy in self.rules:
            self.rules[policy].called = wish

    def forget_calls(self) -> None:
        """Capacity was changed: what was wanted before was wanted of another one."""
        for rule in self.rules.values():
            rule.called = None

    def verdict(self, *, instances_max: int, now: datetime) -> Verdict | None:
        """What all policies come to now; None if that is no change, or not known."""
        if self.capacity is None:
            return None
        bounds = self.target.bounds.limited(instances_max)
        wishes = self._wishes(self.capacity, now)
        verdict = combine(wishes, bounds, self.target.suspension, current=self.capacity)
        is_in = verdict is not None and verdict.capacity is not None and verdict.capacity < self.capacity
        return None if is_in and self.woken_s is not None else verdict

    def _is_awake(self, woken_s: int, until_s: int) -> bool:
        """Whether somebody who waited has been answered, or has had as long as an answer may take."""
        is_counted = any(signal.invocations for signal in self.ahead.values())
        return is_counted or until_s >= woken_s + BUSY_MAX.total_seconds()

    def _wishes(self, current: int, now: datetime) -> dict[str, Wish | None]:
        """Of every policy that has a say: one that never scales in has none unless it wants more."""
        wishes: dict[str, Wish | None] = {}
        for name, rule in self.rules.items():
            wish = rule.wish(self.target.memory, current=current, now=now)
            wants_more = wish is not None and wish.capacity > current
            is_call = wish is not None and rule.tracking is None
            if wants_more or is_call or rule.must_agree:
                wishes[name] = wish
        return wishes

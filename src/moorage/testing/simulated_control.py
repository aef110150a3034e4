"""Control in the simulated world: the loop of `control.endpoints`, cut into steps between which it may crash.

It wakes only for what the real loop wakes for: an API call, a change at the runner, an instance found drained, its own
saves and publications, and the time a plan names. A decision that forgets its timer is thus found out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from moorage.core.fleets import routed_instances
from moorage.core.model import Endpoint, InstanceId, Observation
from moorage.core.plan import Action, Drain, EndpointView, Forget, Launch, Plan, Publish, Stop
from moorage.core.routes import EndpointRoute
from moorage.testing.world import World
from moorage.testing.world_parts import Fault

Decide = Callable[..., Plan]
Save = Callable[[Endpoint, Endpoint | None], None]
"""Called with the record before and after (None: removed)."""

_RETRY = timedelta(seconds=0.2)


class SimulatedControl:
    """One life of control: what it holds in memory ends with it."""

    def __init__(self, world: World, decide: Decide, on_save: Save) -> None:
        self._world = world
        self._decide = decide
        self._on_save = on_save
        self._acknowledged = world.snapshot
        self._settled = False
        self._asked: set[InstanceId] = set()
        self._drained: set[InstanceId] = set()
        self._steps: Iterator[None] | None = None
        self.due: datetime | None = world.now
        """When the next pass begins; None while there is nothing to wait for."""

    @property
    def is_busy(self) -> bool:
        """Whether a pass is under way."""
        return self._steps is not None

    def wake(self) -> None:
        """Have a pass begin now, or once more after the one under way."""
        self._look_at(self._world.now)

    def step(self) -> None:
        """Do the next thing that cannot be interrupted."""
        self._collect_drained()
        if self._world.changed and self._world.now >= self._world.runner_back_at:
            self._world.changed = False
            self.wake()
        if self._steps is None:
            if self.due is None or self.due > self._world.now:
                return
            self.due = None
            self._steps = self._pass()
        try:
            next(self._steps)
        except StopIteration:
            self._steps = None
        except Fault as fault:
            self._world.note(f"control met: {fault}")
            self._steps = None
            self._look_at(self._world.now + _RETRY)

    def _pass(self) -> Iterator[None]:
        record = self._world.record
        yield
        observed = self._world.observe()
        yield from self._stop_strangers(record, observed)
        if record is None:
            if not self._settled or self._acknowledged is not None:
                yield from self._publish(None)
                self.wake()
            return
        plan = self._decide(self._view(record, observed), now=self._world.now)
        if plan.endpoint != record or plan.actions:
            self._world.note(f"decided: {plan.why} {[type(action).__name__ for action in plan.actions]}")
        yield
        saved = plan.endpoint != record
        if saved and not self._save(plan.endpoint):
            self.wake()
            return
        for action in plan.actions:
            yield
            yield from self._apply(action, record)
        if saved or any(isinstance(action, Publish) for action in plan.actions):
            self.wake()
        if plan.wake_at is not None:
            self._look_at(plan.wake_at)

    def _view(self, record: Endpoint, observed: list[Observation]) -> EndpointView:
        return EndpointView(
            endpoint=record,
            instances={seen.id: seen for seen in observed if seen.uid == record.uid},
            published=self._acknowledged,
            settled=self._settled,
            drained=frozenset(self._drained),
        )

    def _save(self, endpoint: Endpoint) -> bool:
        """Compare and swap. The answer may be lost after the commit, as when a connection breaks."""
        world = self._world
        record = world.record
        if record is None or (record.uid, record.version) != (endpoint.uid, endpoint.version):
            return False
        if world.mishap(0.02):
            raise Fault("save lost")
        saved = replace(endpoint, version=record.version + 1)
        world.record = saved
        self._on_save(record, saved)
        if world.mishap(0.02):
            raise Fault("answer to save lost")
        return True

    def _apply(self, action: Action, record: Endpoint) -> Iterator[None]:
        match action:
            case Launch(spec):
                self._drained.discard(spec.id)
                self._world.launch(spec)
            case Publish(_, route):
                self._asked -= routed_instances(route)
                self._drained -= routed_instances(route)
                yield from self._publish(route)
            case Drain(instances, _):
                self._asked |= set(instances)
            case Stop(instance):
                self._world.stop(instance)
                self._asked.discard(instance)
                self._drained.discard(instance)
            case Forget(_, uid):
                if self._world.record is not None and self._world.record.uid == uid:
                    self._world.record = None
                    self._on_save(record, None)

    def _publish(self, route: EndpointRoute | None) -> Iterator[None]:
        self._settled = False
        self._world.snapshot = route
        confirmed = []
        for gateway in self._world.gateways:
            yield
            confirmed.append(self._world.reload(gateway))
        if not all(confirmed):
            raise Fault("a gateway did not confirm")
        self._acknowledged, self._settled = route, True

    def _stop_strangers(self, record: Endpoint | None, observed: list[Observation]) -> Iterator[None]:
        routed = routed_instances(self._acknowledged)
        for seen in observed:
            is_strange = record is None or seen.uid != record.uid
            if is_strange and self._settled and seen.id not in routed:
                yield
                self._world.stop(seen.id)

    def _collect_drained(self) -> None:
        free = {instance for instance in self._asked if self._world.is_free(instance)}
        if free:
            self._asked -= free
            self._drained |= free
            self.wake()

    def _look_at(self, when: datetime) -> None:
        self.due = when if self.due is None else min(self.due, when)

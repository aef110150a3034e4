"""A world for the reconciler to live in: one endpoint's record, instances, gateways and requests, in virtual time.

Everything that happens follows from a seed. Nothing here knows how decisions are taken; `simulated_control` takes them
and `invariants` says what must never be seen. To keep a run explainable, whatever happens is noted in `trace`.
"""

from __future__ import annotations

import random  # noqa: TID251 - the seed is an argument, and the same seed must give the same world
from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from moorage.core.model import Endpoint, InstanceId, InstanceSpec, InstanceState, Observation
from moorage.core.routes import EndpointRoute, VariantRoute
from moorage.testing.builders import T0
from moorage.testing.world_parts import Fault, Held, Request, SimulatedGateway, SimulatedInstance, Violation

PATIENCE_S = 480.0
"""A request may take this long before anybody may cut it: a streamed answer does."""
PATIENCE_DOWN_S = 60.0
"""And this long, if its instance was ever down."""
BELL_S = 2.0
"""So long it takes until somebody who waits for a variant to wake is heard."""
HOLD_S = 120.0
"""And this long before it has an instance, if that has to be woken. Longer than in fact: all takes its time here."""


_FAULTY = frozenset({InstanceState.EXITED, InstanceState.FAILED, InstanceState.UNHEALTHY})
_DEAD = frozenset({InstanceState.EXITED, InstanceState.FAILED, InstanceState.LOST})


@dataclass(slots=True)
class World:
    """The truth. Its methods are what control, clients and fate can do to it."""

    seed: int
    stormy: bool
    """Whether faults are being injected."""
    was_stormy: bool = field(init=False)
    """Whether there ever were any. In a world without, no request may fail."""
    now: datetime = T0
    record: Endpoint | None = None
    snapshot: EndpointRoute | None = None
    instances: dict[InstanceId, SimulatedInstance] = field(default_factory=dict)
    gateways: list[SimulatedGateway] = field(default_factory=lambda: [SimulatedGateway(), SimulatedGateway()])
    requests: list[Request] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    late_launches: list[tuple[datetime, InstanceSpec]] = field(default_factory=list)
    setbacks: dict[InstanceId, tuple[int, datetime]] = field(default_factory=dict)
    """How often instances that never were ready for long have exited in a row, and when last."""
    faults: Counter[InstanceId] = field(default_factory=Counter)
    """How often instances have exited, failed or fallen ill of themselves, ever."""
    sickness_ends_at: datetime = T0
    """Until then whatever is launched exits."""
    runner_back_at: datetime = T0
    changed: bool = False
    """Set when an instance changed, for control to notice."""
    trace: deque[str] = field(default_factory=lambda: deque(maxlen=80))
    random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.was_stormy = self.stormy

    def note(self, text: str) -> None:
        """Remember what happened, for whoever reads a violation."""
        self.trace.append(f"{(self.now - T0).total_seconds():9.3f}  {text}")

    def mishap(self, probability: float) -> bool:
        """Whether fate strikes. Never in a calm world."""
        return self.stormy and self.random.random() < probability

    # What control can do.

    def observe(self) -> list[Observation]:
        """As `Runner.observe`."""
        self._reach_runner()
        return [instance.observe() for instance in self.instances.values()]

    def launch(self, spec: InstanceSpec) -> None:
        """As `Runner.launch`. Command or answer may be lost, and the command may arrive once more much later."""
        self._reach_runner()
        if self.mishap(0.05):
            raise Fault("launch lost")
        if self.mishap(0.03):
            self.late_launches.append((self.now + self._seconds(0.1, 90), spec))
        self._begin(spec)
        if self.mishap(0.05):
            raise Fault("answer to launch lost")

    def stop(self, instance: InstanceId) -> None:
        """As `Runner.stop`."""
        self._reach_runner()
        if self.mishap(0.05):
            raise Fault("stop lost")
        self._end(instance)
        if self.mishap(0.05):
            raise Fault("answer to stop lost")

    def reload(self, gateway: SimulatedGateway) -> bool:
        """Ask one gateway to use the snapshot; whether it is known to, or known not to be there."""
        if not gateway.alive:
            return True
        if gateway.silent:
            return False
        gateway.table = self.snapshot
        self._serve_held()
        return not self.mishap(0.1)

    def is_free(self, instance: InstanceId) -> bool:
        """Whether all gateways would say now that no request is in flight on the instance."""
        return not any(gateway.alive and gateway.silent for gateway in self.gateways) and not any(
            request.instance == instance for request in self.requests
        )

    # What clients and fate do.

    def send(self, gateway: SimulatedGateway) -> None:
        """Begin a request through a gateway, if it knows the endpoint."""
        if not gateway.alive or gateway.table is None:
            return
        variants = [variant for variant in gateway.table.variants if variant.weight > 0]
        if not variants:
            return
        [variant] = self.random.choices(variants, [variant.weight for variant in variants])
        if variant.wakes and not variant.instances and not variant.fault:
            self.held.append(Held(gateway, variant.name, self.now))
            return
        self._begin_request(gateway, variant)

    def asleep(self) -> set[str]:
        """The variants that control hears have to be woken."""
        return {held.variant for held in self.held if (self.now - held.since).total_seconds() >= BELL_S}

    def _begin_request(self, gateway: SimulatedGateway, variant: VariantRoute) -> None:
        if not variant.instances:
            self._refused(f"variant {variant.name} has no instance", variant.name)
            return
        instance = self.instances[self.random.choice(variant.instances).id]
        if instance.state not in (InstanceState.READY, InstanceState.UNHEALTHY):
            self._refused(f"{instance.spec.id} is {instance.state}", variant.name)
            return
        lasts_s = self.random.choice((0.05, 0.5, 5.0, 55.0, 479.0, 479.0, 600.0))
        spec, ends = instance.spec, self.now + timedelta(seconds=lasts_s)
        self.requests.append(Request(gateway, spec.id, spec.uid, spec.generation, self.now, ends))

    def harm(self) -> None:
        """Inject one fault."""
        harms = (
            self._kill_instance,
            self._kill_instance,
            self._sicken_instance,
            self._sicken_instance,
            self._sicken_instance,
            self._harm_gateway,
            self._harm_gateway,
            self._lose_runner,
            self._spread_sickness,
        )
        self.random.choice(harms)()

    def elapse(self, seconds: float) -> None:
        """Let time pass, and everything happen that only takes time."""
        self.now += timedelta(seconds=seconds)
        for instance in self.instances.values():
            if instance.next_state is not None and instance.next_at <= self.now:
                self._turn(instance, instance.next_state)
        for gateway in self.gateways:
            if not (gateway.alive and not gateway.silent) and gateway.back_at <= self.now:
                self._bring_back(gateway)
        self.requests = [request for request in self.requests if request.ends > self.now]
        self._serve_held()
        due = [spec for at, spec in self.late_launches if at <= self.now]
        self.late_launches = [(at, spec) for at, spec in self.late_launches if at > self.now]
        for spec in due:
            self.note(f"late launch of {spec.id}")
            self._begin(spec, is_late=True)

    def next_event_at(self) -> datetime | None:
        """When something happens by itself next."""
        times = [instance.next_at for instance in self.instances.values() if instance.next_state is not None]
        times += [gateway.back_at for gateway in self.gateways if not gateway.alive or gateway.silent]
        times += [request.ends for request in self.requests] + [at for at, _ in self.late_launches]
        times += [at for held in self.held if (at := held.since + timedelta(seconds=BELL_S)) > self.now]
        times += [self.runner_back_at] if self.runner_back_at > self.now else []
        return min(times, default=None)

    def _serve_held(self) -> None:
        """Whoever is held goes on when there is an instance, or no hope, or no time left."""
        waiting, self.held = self.held, []
        for held in waiting:
            table = held.gateway.table if held.gateway.alive else None
            variant = next((each for each in table.variants if each.name == held.variant), None) if table else None
            if variant is None or variant.fault:
                continue
            if variant.instances:
                self._begin_request(held.gateway, variant)
            elif not variant.wakes:
                self._refused(f"variant {variant.name} is not waited for any more", variant.name)
            elif (self.now - held.since).total_seconds() >= HOLD_S:
                self._give_up()
            else:
                self.held.append(held)

    def _give_up(self) -> None:
        """A request has waited too long: that is for faults to do."""
        if not self.was_stormy:
            raise Violation(f"a request was held for {HOLD_S:g} s though nothing was wrong")

    def _reach_runner(self) -> None:
        if self.now < self.runner_back_at:
            raise Fault("runner away")

    def _begin(self, spec: InstanceSpec, *, is_late: bool = False) -> None:
        if spec.id in self.instances:
            return
        self.note(f"launched {spec.id} ({spec.variant.model_name}, generation {spec.generation}, #{spec.ordinal})")
        if not is_late:
            self._judge_launch(spec.id)
        fate = InstanceState.READY
        if spec.variant.model_name == "broken":
            fate = InstanceState.FAILED
        elif self.mishap(0.1) or self.now < self.sickness_ends_at:
            fate = InstanceState.EXITED
        speeds = ((0.01, 0.2), (0.2, 3.0), (3.0, 30.0))
        starts_in = self._seconds(*(speeds[0] if fate is InstanceState.EXITED else self.random.choice(speeds)))
        self.instances[spec.id] = SimulatedInstance(
            spec,
            InstanceState.STARTING,
            since=self.now,
            next_state=fate,
            next_at=self.now + starts_in,
            is_late=is_late,
        )
        self.changed = True

    def _end(self, instance: InstanceId) -> None:
        stopped = self.instances.pop(instance, None)
        if stopped is None:
            return
        self.note(f"stopped {instance}, which was {stopped.state}")
        self.changed = True
        self._judge_stop(stopped)
        self.requests = [request for request in self.requests if request.instance != instance]

    def _judge_launch(self, instance: InstanceId) -> None:
        count, last_at = self.setbacks.get(instance, (0, self.now))
        if count >= 4 and (self.now - last_at).total_seconds() < 4.0:
            raise Violation(f"{instance} was launched again right after it had failed {count} times")

    def _judge_stop(self, stopped: SimulatedInstance) -> None:
        """A stop happens at an instant, so what it must not do is judged here and not by looking at the world later."""
        instance, record = stopped.spec.id, self.record
        if any(gateway.alive and instance in _ids(gateway.table) for gateway in self.gateways):
            raise Violation(f"{instance} was stopped while a gateway routed to it")
        patience_s = PATIENCE_DOWN_S if stopped.was_down else PATIENCE_S
        for request in self.requests:
            if request.instance == instance and (self.now - request.began).total_seconds() < patience_s:
                raise Violation(f"a request was cut by stopping {instance}")
        is_excused = stopped.is_late or self._was_woken(stopped.spec.variant.name)
        if record is not None and instance in record.draining and is_excused:
            return  # its stop was decided before: there is a new one soon
        is_serving = (
            record is not None
            and record.uid == stopped.spec.uid
            and record.serving is not None
            and record.target is None
            and record.status in ("InService", "RollingBack")
            and record.serving.generation == stopped.spec.generation
            and any(
                variant.name == stopped.spec.variant.name and stopped.spec.ordinal < variant.desired_count
                for variant in record.serving.variants
            )
        )
        if is_serving and not stopped.was_down:
            raise Violation(f"{instance} was stopped though it served well")

    def _was_woken(self, variant: str) -> bool:
        fleet = self.record.serving if self.record else None
        return fleet is not None and any(each.name == variant and each.was_woken for each in fleet.variants)

    def _turn(self, instance: SimulatedInstance, state: InstanceState) -> None:
        self._count_setback(instance, state)
        instance.state, instance.since, instance.next_state = state, self.now, None
        instance.was_ready |= state is InstanceState.READY
        instance.was_down |= state in _FAULTY | _DEAD
        self.faults[instance.spec.id] += state in _FAULTY
        if state in _DEAD:
            self.requests = [request for request in self.requests if request.instance != instance.spec.id]
        self.changed = True
        self.note(f"{instance.spec.id} is {state}")

    def _count_setback(self, instance: SimulatedInstance, state: InstanceState) -> None:
        was_steady = instance.state is InstanceState.READY and self.now - instance.since >= timedelta(seconds=60)
        if was_steady:
            self.setbacks.pop(instance.spec.id, None)
        is_leaving = self.record is not None and instance.spec.id in self.record.draining
        if state is InstanceState.EXITED and not is_leaving:
            count, _ = self.setbacks.get(instance.spec.id, (0, self.now))
            self.setbacks[instance.spec.id] = (count + 1, self.now)

    def _refused(self, why: str, variant: str) -> None:
        """A request fails: that is for faults to do, and for a variant that the endpoint no longer has."""
        fleets = (self.record.serving, self.record.target) if self.record else ()
        is_there = any(each.name == variant for fleet in fleets if fleet for each in fleet.variants)
        if not self.was_stormy and is_there:
            raise Violation(f"a request failed though nothing was wrong: {why}")

    def _kill_instance(self) -> None:
        if alive := self._alive():
            self._turn(self.random.choice(alive), InstanceState.EXITED)

    def _lose_instances(self) -> None:
        """As when everything is killed, the runner too: nobody sees them end."""
        for instance in self._alive():
            self._turn(instance, InstanceState.LOST)

    def _alive(self) -> list[SimulatedInstance]:
        return [instance for instance in self.instances.values() if instance.state not in _DEAD]

    def _sicken_instance(self) -> None:
        ready = [instance for instance in self.instances.values() if instance.state is InstanceState.READY]
        if ready:
            instance = self.random.choice(ready)
            self._turn(instance, InstanceState.UNHEALTHY)
            if self.random.random() < 0.5:
                instance.next_state, instance.next_at = InstanceState.READY, self.now + self._seconds(0.1, 20)

    def _harm_gateway(self) -> None:
        gateway = self.random.choice(self.gateways)
        gateway.back_at = self.now + self._seconds(0.5, 150)
        if self.random.random() < 0.5:
            self.note("a gateway falls silent")
            gateway.silent = True
            return
        self.note("a gateway dies")
        gateway.alive, gateway.silent = False, False
        self.requests = [request for request in self.requests if request.gateway is not gateway]

    def _lose_runner(self) -> None:
        self.note("the runner is away")
        self.runner_back_at = self.now + self._seconds(0.1, 15)
        if self.random.random() < 0.3:
            self._lose_instances()

    def _spread_sickness(self) -> None:
        self.note("whatever is launched now exits")
        self.sickness_ends_at = self.now + self._seconds(5, 60)

    def _bring_back(self, gateway: SimulatedGateway) -> None:
        self.note("a gateway is back")
        if not gateway.alive or self.random.random() < 0.5:  # a silent one may have kept a reload in its socket
            gateway.table = self.snapshot
        gateway.alive, gateway.silent = True, False

    def _seconds(self, low: float, high: float) -> timedelta:
        return timedelta(seconds=self.random.uniform(low, high))


def _ids(route: EndpointRoute | None) -> set[InstanceId]:
    return {instance.id for variant in route.variants for instance in variant.instances} if route else set()

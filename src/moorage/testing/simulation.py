"""One run of the simulation: a storm of calls, traffic and faults from a seed, then calm until nothing is left to do.

Half of all seeds are calm from the beginning: there no request may fail at all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from moorage.core import endpoint as change
from moorage.core.model import Endpoint, Serverless, Variant
from moorage.core.reconcile import reconcile
from moorage.core.status import IllegalTransition
from moorage.testing.builders import make_endpoint, make_variant
from moorage.testing.invariants import check, check_quiet, check_save
from moorage.testing.simulated_control import Decide, SimulatedControl
from moorage.testing.world import World
from moorage.testing.world_parts import Violation

STORM_STEPS = 400
QUIET_STEPS_MAX = 6000
QUIET_WITHIN = timedelta(minutes=15)


class Simulation:
    """The players of one run."""

    def __init__(self, seed: int, decide: Decide) -> None:
        self.world = World(seed, stormy=seed % 2 == 1)
        self._decide = decide
        self._created = 0
        self._pace = self.world.random.choice((1.0, 1.0, 0.05))
        self.control: SimulatedControl | None = self._start_control()

    def run(self) -> None:
        """Storm, then calm. Raises Violation."""
        for _ in range(STORM_STEPS):
            self._elapse()
            self._wake()
            self._play()
            check(self.world)
        self._calm_down()
        check_quiet(self.world)

    def _play(self) -> None:
        dice = self.world.random.random()
        if dice < 0.67:
            self._step_control()
        elif dice < 0.80:
            self.world.send(self.world.random.choice(self.world.gateways))
        elif dice < 0.85:
            self._call()
        elif dice < 0.90:
            self._sleep()
        elif self.world.mishap(0.35):
            self._crash_control() if self.world.random.random() < 0.3 else self.world.harm()

    def _step_control(self) -> None:
        if self.control is None:
            self.control = self._start_control()
        self.control.step()

    def _start_control(self) -> SimulatedControl:
        return SimulatedControl(self.world, self._decide, lambda before, after: check_save(self.world, before, after))

    def _crash_control(self) -> None:
        self.world.note("control crashes")
        self.control = None

    def _elapse(self) -> None:
        self.world.elapse(self._pace * self.world.random.choice((0.0005, 0.0005, 0.005, 0.05, 0.5, 3.0)))

    def _calm_down(self) -> None:
        """No more calls and faults: play on until control has nothing left to do."""
        self.world.note("the storm is over")
        self.world.stormy = False
        deadline = self.world.now + QUIET_WITHIN
        for _ in range(QUIET_STEPS_MAX):
            self._wake()
            self._step_control()
            check(self.world)
            assert self.control is not None
            if self.control.is_busy or (self.control.due is not None and self.control.due <= self.world.now):
                self.world.elapse(0.0005)
                continue
            times = [at for at in (self.world.next_event_at(), self.control.due) if at is not None]
            if not times and not self.world.changed:
                return
            if self.world.now > deadline:
                raise Violation("control does not come to rest")
            self.world.elapse(max(0.0005, (min(times, default=self.world.now) - self.world.now).total_seconds()))
        raise Violation("control is busy for ever")

    def _call(self) -> None:
        """A client's call, whether or not it is allowed now."""
        world, record = self.world, self.world.record
        if record is None:
            self._created += 1
            self._accept(None, make_endpoint(*self._variants(), uid=f"u{self._created}", now=world.now))
            return
        calls: tuple[Callable[[Endpoint], Endpoint], ...] = (
            self._update,
            self._update,
            self._resize,
            self._delete,
        )
        try:
            self._accept(record, world.random.choice(calls)(record))
        except IllegalTransition:
            return

    def _accept(self, before: Endpoint | None, after: Endpoint) -> None:
        world = self.world
        if before is not None:
            after = replace(after, version=before.version + 1)
        check_save(world, before, after)
        world.record = after
        world.note(f"a client has the endpoint {after.status}")
        if self.control is not None:
            self.control.wake()

    def _update(self, endpoint: Endpoint) -> Endpoint:
        name = f"config-{endpoint.last_generation + 1}"
        return change.update(endpoint, config_name=name, variants=self._variants(), now=self.world.now)

    def _resize(self, endpoint: Endpoint) -> Endpoint:
        draw = self.world.random
        fleet = endpoint.serving
        self.world.setbacks.clear()  # what is added may be launched at once, also if that failed another time
        changes = {
            variant.name: change.VariantChange(
                desired_weight=draw.choice((None, 0.5, 3.0)),
                desired_count=None if variant.serverless else draw.choice((None, 0, 1, 2, 3)),
            )
            for variant in (fleet.variants if fleet else ())
        }
        return change.set_weights_and_capacities(endpoint, changes, now=self.world.now)

    def _sleep(self) -> None:
        """As when nobody asked for long, though somebody may just then."""
        record = self.world.record
        if record is not None and (asleep := change.sleep(record, "blue")) != record:
            self.world.note("variant blue is put to sleep")
            self._accept(record, asleep)

    def _wake(self) -> None:
        """What the gateways ask for by datagrams that are lost while control is away."""
        record = self.world.record
        if self.control is None or record is None:
            return
        for name in sorted(self.world.asleep()):
            woken = change.wake(record, name)
            if woken != record:
                self.world.note(f"variant {name} is woken")
                self.world.setbacks.clear()  # it is launched at once, also if that failed another time
                self._accept(record, woken)
                return

    def _delete(self, endpoint: Endpoint) -> Endpoint:
        return change.delete(endpoint, now=self.world.now)

    def _variants(self) -> tuple[Variant, ...]:
        draw = self.world.random
        model = draw.choice(("iris", "iris", "iris", "broken"))
        if draw.random() < 0.5:
            return (replace(make_variant("blue", model=model), serverless=Serverless(2048, 5)),)
        names = ("blue", "green")[: draw.choice((1, 1, 2))]
        return tuple(
            make_variant(name, count=draw.choice((1, 1, 2)), weight=draw.choice((1.0, 2.0)), model=model)
            for name in names
        )


def run(seed: int, decide: Decide = reconcile) -> None:
    """Run one seed. Raises Violation, with what led to it and the command that plays it again."""
    simulation = Simulation(seed, decide)
    try:
        simulation.run()
    except Violation as violation:
        trace = "\n".join(simulation.world.trace)
        replay = f"MOORAGE_SEED={seed} python -m pytest tests/simulation -k replay"
        raise Violation(f"{trace}\nseed {seed}: {violation}\nreplay: {replay}") from violation

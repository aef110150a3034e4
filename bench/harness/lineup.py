"""Our gateway and the proxies it is compared with, all running before one upstream, and what they are asked."""

from __future__ import annotations

import contextlib
import functools
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from harness.gateway import gateway, gateway_folder
from harness.invocations import Caller, signed_invocations
from harness.machine import cores, require
from harness.processes import ANSWER, Served, Upstream, ask, envoy, nginx, upstream

OURS: Final = "moorage"
PROXIES: Final = (OURS, "envoy-unix", "envoy-tcp", "nginx-unix", "nginx-tcp")
REQUESTS: Final = 1000
CHECKED: Final = 20

Start = Callable[[], contextlib.AbstractContextManager[Served]]


@dataclass(frozen=True, slots=True)
class Lineup:
    """Proxies that run on one core, and an upstream that shares another with whoever loads them."""

    caller: Caller
    proxies: Mapping[str, Served]
    upstream: Upstream
    core: int
    other_core: int

    def in_turn(self, number: int) -> list[str]:
        """The proxies in the order of a round: every second one goes backwards."""
        names = list(self.proxies)
        return names[::-1] if number % 2 else names

    def checked_requests(self) -> list[bytes]:
        """Different requests, signed now, of which some have gone through every proxy and come back right."""
        requests = signed_invocations(self.caller, self._host(), [self.caller.endpoint_name] * REQUESTS)
        for name, served in self.proxies.items():
            for request in requests[:CHECKED]:
                if (heard := ask(served.netloc, request)) != (200, ANSWER):
                    raise SystemExit(f"{name} answers {heard}")
        return requests

    def _host(self) -> str:
        """The gateway wants the host that was signed, which is its own as it comes first; the others take any."""
        return next(iter(self.proxies.values())).netloc

    def placement(self) -> str:
        """What ran where, for the report."""
        return f"Proxies on core {self.core}, one loaded at a time; load and upstream on core {self.other_core}"


@contextlib.contextmanager
def lineup(folder: Path, names: Sequence[str]) -> Iterator[Lineup]:
    """Those of `PROXIES` that are named, running. Ends the benchmark if something they need is not installed."""
    require("wrk", "nginx", "taskset", *(["envoy"] if any(name.startswith("envoy") for name in names) else []))
    core, other_core = cores()
    with contextlib.ExitStack() as stack:
        instance = stack.enter_context(upstream(_made(folder / "upstream"), other_core))
        ours = gateway_folder(_made(folder / OURS), instance.path)
        starts: dict[str, Start] = {OURS: functools.partial(gateway, ours, core)}
        for peer, start in (("envoy", envoy), ("nginx", nginx)):
            for kind, address in (("unix", f"unix:{instance.path}"), ("tcp", instance.netloc)):
                starts[f"{peer}-{kind}"] = functools.partial(start, _made(folder / f"{peer}-{kind}"), core, address)
        proxies = {name: stack.enter_context(starts[name]()) for name in names}
        yield Lineup(ours.caller, proxies, instance, core, other_core)


def better_envoy(readings: Mapping[str, Sequence[float]]) -> str | None:
    """The Envoy with the lesser median, if one was measured: the one to be compared with."""
    envoys = [name for name in readings if name.startswith("envoy")]
    return min(envoys, key=lambda name: statistics.median(readings[name]), default=None)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder

"""What is counted of the traffic of an endpoint: one tally per series, and CloudWatch's metrics in terms of it.

A *series* is all traffic of one endpoint config, variant and instance of an endpoint. Every invocation ends in exactly
one `Outcome` on exactly one series, so sums over series count nothing twice:

    Invocations              invocations: what a permitted caller sent to an endpoint that exists, whatever came of it
    InvocationsPerInstance   per_instance: 1/n an invocation, n being the variant's instances in the routes just then
    Invocation4XXErrors      CLIENT_ERROR: the model answered 4xx
    Invocation5XXErrors      SERVER_ERROR: the model answered 5xx
    InvocationModelErrors    model_errors: whatever of the model's was not 2xx, silence and nonsense included
    ModelLatency             model, in µs: from the first byte sent to the instance to the last one it answered
    OverheadLatency          overhead, in µs: from the request's arrival to the end of its answer, less the model's

A refusal by our own limits (no ready instance, queue full, no time left) is an invocation, as it is demand that was
sent to the endpoint, but no model error, as no model has seen it. What is refused as malformed, unsigned or not
permitted is no invocation.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from moorage.core.latency import Histogram

SHARE: Final = 12_252_240
"""What `per_instance_shares` counts in: the smallest number that 1 to 18 divide, so that thirds add up to one."""


class SeriesKey(NamedTuple):
    """Whose traffic it is. `variant` and `instance` are empty where the invocation got no further."""

    region: str
    endpoint: str
    config: str
    variant: str = ""
    instance: str = ""


def enclosing(key: SeriesKey) -> SeriesKey:
    """Where the total of a series goes when nothing else is kept of it: to its variant, then to its endpoint.

    So the sum over a variant never falls while it is there.
    """
    return key._replace(instance="") if key.instance else SeriesKey(key.region, key.endpoint, config="")


class Outcome(enum.IntEnum):
    """What became of an invocation. The numbers are places in tallies and ledgers: never give one away twice."""

    SUCCESS = 0
    """The model answered 2xx."""
    CLIENT_ERROR = 1
    """The model answered 4xx."""
    SERVER_ERROR = 2
    """The model answered 5xx."""
    OTHER_ANSWER = 3
    """The model answered something else, such as a redirect."""
    NO_ANSWER = 4
    """The instance did not answer in time, closed, reset, or answered nonsense."""
    REFUSED = 5
    """We answered without asking a model: nothing ready, a limit reached."""
    ABANDONED = 6
    """The caller left before there was an answer."""


_NOTHING: Final = (0,) * len(Outcome)
_MODEL_ERRORS: Final = (Outcome.CLIENT_ERROR, Outcome.SERVER_ERROR, Outcome.OTHER_ANSWER, Outcome.NO_ANSWER)


@dataclass(frozen=True, slots=True)
class Tally:
    """What was counted of one series, or of several, over some time."""

    outcomes: tuple[int, ...] = _NOTHING
    """Invocations by `Outcome`."""
    per_instance_shares: int = 0
    model: Histogram = field(default_factory=Histogram)
    overhead: Histogram = field(default_factory=Histogram)
    bytes_in: int = 0
    bytes_out: int = 0
    in_flight: int = 0
    """Requests on instances at the end of the time, or the most of them where tallies were joined by `then`."""

    @property
    def invocations(self) -> int:
        """CloudWatch's Invocations."""
        return sum(self.outcomes)

    @property
    def model_errors(self) -> int:
        """CloudWatch's InvocationModelErrors."""
        return sum(self.outcomes[outcome] for outcome in _MODEL_ERRORS)

    @property
    def per_instance(self) -> float:
        """CloudWatch's InvocationsPerInstance."""
        return self.per_instance_shares / SHARE

    def __add__(self, other: Tally) -> Tally:
        """Both side by side: series, or gateways, over the same time."""
        return Tally(
            tuple(map(int.__add__, self.outcomes, other.outcomes)),
            self.per_instance_shares + other.per_instance_shares,
            self.model + other.model,
            self.overhead + other.overhead,
            self.bytes_in + other.bytes_in,
            self.bytes_out + other.bytes_out,
            self.in_flight + other.in_flight,
        )

    def then(self, later: Tally) -> Tally:
        """Both one after the other: the same series over a longer time."""
        return replace(self + later, in_flight=max(self.in_flight, later.in_flight))


Tallies = Mapping[SeriesKey, Tally]

"""What is kept of an invocation once it is over: its counts and latencies in the ledger, and a line in the access log.

On the way of every invocation, so one call with what is known and nothing in between.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from moorage.aws.errors import ServiceError
from moorage.core.traffic import Outcome
from moorage.gateway.access_log import AccessLog, Entry
from moorage.gateway.containers import latencies
from moorage.gateway.entry import Admitted
from moorage.gateway.ledger import Series
from moorage.gateway.tables import Variant
from moorage.gateway.target import Address
from moorage.gateway.trace_context import trace_id
from moorage.gateway.tracing import Trace, Tracer
from moorage.wire.messages import Request

_SUCCESS: Final = Outcome.SUCCESS
_REFUSED: Final = Outcome.REFUSED


class Recorded(Protocol):
    """What is known of an invocation. Times are monotonic seconds, 0 for what did not come to pass."""

    request: Request
    request_id: str
    address: Address
    admitted: Admitted | None
    variant: Variant | None
    series: Series | None
    """Where it counts; None as long as it is no invocation of any endpoint."""
    instance_id: str
    body: bytes
    began: float
    sent: float
    answered: float
    latencies: bytes
    """What each of several containers took, as their front says it."""
    trace: Trace | None


class Recorder:
    """Keeps the records of one gateway worker."""

    def __init__(self, access_log: AccessLog, monotonic: Callable[[], float], tracer: Tracer | None = None) -> None:
        self.tracer = tracer
        """None where no traces are sent anywhere."""
        self._log = access_log
        self._successes = access_log.successes
        self._monotonic = monotonic

    def record(self, call: Recorded, outcome: Outcome | None, status: int, bytes_out: int, error: str) -> None:
        """An invocation is over. `status` is the caller's, 0 if it left; without an outcome nothing is counted."""
        now = self._monotonic()
        model_us = overhead_us = -1
        series = call.series
        if call.sent:
            model_us = int(((call.answered or now) - call.sent) * 1e6)
            overhead_us = max(0, int((now - call.began) * 1e6) - model_us)
        if series is not None and outcome is not None:
            if outcome >= _REFUSED or model_us < 0:
                series.count(outcome, len(call.body))
            else:
                series.record(outcome, model_us, overhead_us, len(call.body), bytes_out)
        if call.trace is not None and self.tracer is not None:
            self.tracer.end(call.trace, call, status=status, error=error)
        if outcome is _SUCCESS:
            if self._successes.skip:
                self._successes.skip -= 1
            else:
                self._log.add_success(_entry(call, status, bytes_out, error, model_us, overhead_us))
        elif self._log.failures_left:
            self._log.add_failure(_entry(call, status, bytes_out, error, model_us, overhead_us))
        else:
            self._log.missing += 1


def outcome_of(error: ServiceError) -> Outcome | None:
    """What an invocation that ends with `error` has come to; None if it was none, but a mistake of the caller's."""
    if error.code == "ModelError":
        status = int(error.members["OriginalStatusCode"])
        return _OUTCOMES.get(status // 100, Outcome.OTHER_ANSWER)
    return Outcome.REFUSED if error.status in _REFUSALS else None


_OUTCOMES: Final = {0: Outcome.NO_ANSWER, 4: Outcome.CLIENT_ERROR, 5: Outcome.SERVER_ERROR}
_REFUSALS: Final = frozenset({429, 500, 503})


def _entry(call: Recorded, status: int, bytes_out: int, error: str, model_us: int, overhead_us: int) -> Entry:
    admitted, variant = call.admitted, call.variant
    return Entry(
        request_id=call.request_id,
        operation=call.address.operation.value,
        region=admitted.endpoint.key.region if admitted else "",
        endpoint=admitted.endpoint.key.name if admitted else "",
        principal=admitted.principal if admitted else "",
        variant=variant.name if variant else "",
        instance=call.instance_id,
        status=status,
        error=error,
        bytes_in=len(call.body),
        bytes_out=bytes_out,
        model_us=model_us,
        overhead_us=overhead_us,
        containers_us=latencies(call.latencies),
        trace_id=f"{call.trace.id:032x}" if call.trace is not None else trace_id(call.request.headers),
    )

"""What CloudWatch has of a multi-model endpoint, as it is counted here: since the instance began, times in µs."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any, Final

_MODELS_MAX: Final = 10_000
"""How many models are counted by name; the rest is counted together."""
_OTHERS: Final = "*"


@dataclass(slots=True)
class Summary:
    """Values of one metric, as far as Average, Sum, Minimum, Maximum and SampleCount need them."""

    count: int = 0
    total: int = 0
    least: int = 0
    most: int = 0

    def add(self, value: int) -> None:
        """Count one value."""
        self.least = min(self.least, value) if self.count else value
        self.most = max(self.most, value)
        self.count += 1
        self.total += value


@dataclass(slots=True)
class Statistics:
    """AWS's metrics of multi-model endpoints, by their names, and the invocations of each model."""

    ModelLoadingWaitTime: Summary = field(default_factory=Summary)
    ModelDownloadingTime: Summary = field(default_factory=Summary)
    ModelLoadingTime: Summary = field(default_factory=Summary)
    ModelUnloadingTime: Summary = field(default_factory=Summary)
    ModelCacheHit: Summary = field(default_factory=Summary)
    """1 for an invocation that found its model loaded, 0 for one that had to wait."""
    invocations: Counter[str] = field(default_factory=Counter)

    def count_use(self, model: str, *, was_loaded: bool) -> None:
        """An invocation has its model."""
        self.ModelCacheHit.add(int(was_loaded))
        if model not in self.invocations and len(self.invocations) >= _MODELS_MAX:
            model = _OTHERS
        self.invocations[model] += 1

    def as_json(self) -> dict[str, Any]:
        """For whoever collects them."""
        named = {name: getattr(self, name) for name in self.__slots__}
        summaries = {name: asdict(value) for name, value in named.items() if isinstance(value, Summary)}
        return {**summaries, "invocations": dict(self.invocations)}

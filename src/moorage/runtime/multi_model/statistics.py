"""What CloudWatch has of a multi-model endpoint, as it is counted here: since the instance began, times in µs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Final

_MODELS_MAX: Final = 10_000
"""How many models are counted by name; the rest is counted together."""
_OTHERS: Final = "*"
_VALUES_MAX: Final = 10_000
"""How many different values of a metric are kept until they are collected; others are not."""


@dataclass(slots=True)
class Summary:
    """Values of one metric, as far as Average, Sum, Minimum, Maximum and SampleCount need them."""

    count: int = 0
    total: int = 0
    least: int = 0
    most: int = 0
    fresh: Counter[int] = field(default_factory=Counter)
    """How often each value was there since `Statistics.collect`."""

    def add(self, value: int) -> None:
        """Count one value."""
        if value in self.fresh or len(self.fresh) < _VALUES_MAX:
            self.fresh[value] += 1
        self.least = min(self.least, value) if self.count else value
        self.most = max(self.most, value)
        self.count += 1
        self.total += value

    def as_json(self) -> dict[str, int]:
        """All but the values."""
        return {"count": self.count, "total": self.total, "least": self.least, "most": self.most}


@dataclass(frozen=True, slots=True)
class Page:
    """The values of each metric, each with how often it was there, that were collected at once."""

    number: int
    values: Mapping[str, Sequence[tuple[int, int]]]


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
    _page: Page = field(default_factory=lambda: Page(0, {}))

    def count_use(self, model: str, *, was_loaded: bool) -> None:
        """An invocation has its model."""
        self.ModelCacheHit.add(int(was_loaded))
        if model not in self.invocations and len(self.invocations) >= _MODELS_MAX:
            model = _OTHERS
        self.invocations[model] += 1

    def as_json(self) -> dict[str, Any]:
        """All there was, for a person."""
        summaries = {name: summary.as_json() for name, summary in self._summaries()}
        return {"summaries": summaries, "invocations": dict(self.invocations)}

    def collect(self, known: int) -> Page:
        """What there was since the page of number `known` was made. A page is kept until it is known."""
        if known == self._page.number:
            fresh = {name: [*summary.fresh.items()] for name, summary in self._summaries()}
            self._page = Page(known + 1, {name: values for name, values in fresh.items() if values})
            for _, summary in self._summaries():
                summary.fresh = Counter()
        return self._page

    def _summaries(self) -> Iterator[tuple[str, Summary]]:
        named = ((each.name, getattr(self, each.name)) for each in fields(self))
        return ((name, value) for name, value in named if isinstance(value, Summary))

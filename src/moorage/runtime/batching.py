"""Several calls answered together: read each, predict what goes together at once, write each.

No event loop and no clock here. Whatever goes wrong with a prediction of several is tried again one by one, so that a
bad row fails only who sent it, and everybody else gets what he would have got alone.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from moorage.runtime.calls import Answer, Call, Outcome
from moorage.runtime.context import Context
from moorage.runtime.failures import attempt
from moorage.runtime.stacking import NotRows, join, kind, rows, split

REQUESTS_MAX: Final = 256
BUDGET_S: Final = 0.05
"""For so long a model may be busy with one batch for the sake of others."""


@dataclass(slots=True)
class Work:
    """A call that has been read: it is to be predicted and written."""

    data: Any
    media: str
    """Of the answer."""
    detailed: bool
    context: Context | None


class Steps(Protocol):
    """What a model does with a call, one step after the other."""

    def read(self, call: Call) -> Work:
        """Its data. Raises RequestRefused, or what a hook raises."""
        ...

    def predict(self, data: Any, work: Work) -> Any:
        """What the model says of `data`: `work.data`, or that of several with the same key. Raises as `read`."""
        ...

    def write(self, prediction: Any, work: Work) -> Answer:
        """The answer. Raises as `read`."""
        ...

    def batch_no_more(self, reason: str) -> None:
        """Predicting together has turned out not to be the same as predicting alone."""
        ...


def answer_all(model: Steps, calls: Sequence[Call]) -> list[Outcome]:
    """The answers to `calls`, in their order."""
    if len(calls) == 1:
        return [_answer_alone(model, calls[0])]  # spared 2 µs of grouping
    outcomes: list[Outcome | Work] = [attempt(model.read, call) for call in calls]
    groups: dict[Hashable, list[int]] = {}
    for place, outcome in enumerate(outcomes):
        if isinstance(outcome, Work):
            of = kind(outcome.data)
            groups.setdefault(place if of is None else (of, outcome.detailed), []).append(place)
    for places in groups.values():
        works: list[Work] = [outcomes[place] for place in places]  # type: ignore[misc] # only works are in groups
        for place, work, prediction in zip(places, works, _predict_all(model, works), strict=True):
            failed = isinstance(prediction, Exception)
            outcomes[place] = prediction if failed else attempt(model.write, prediction, work)
    return outcomes  # type: ignore[return-value] # every work has been replaced


def _answer_alone(model: Steps, call: Call) -> Outcome:
    work = attempt(model.read, call)
    if not isinstance(work, Work):
        return work
    prediction = _predict_alone(model, work)
    return prediction if isinstance(prediction, Exception) else attempt(model.write, prediction, work)


def _predict_all(model: Steps, works: Sequence[Work]) -> list[Any]:
    """The prediction for each of `works`, or the exception that it got instead."""
    if len(works) == 1:
        return [_predict_alone(model, works[0])]
    together = attempt(_predict_together, model, works)
    if not isinstance(together, Exception):
        return together
    alone = [_predict_alone(model, work) for work in works]
    if isinstance(together, NotRows):
        model.batch_no_more(str(together))
    elif not any(isinstance(prediction, Exception) for prediction in alone):
        model.batch_no_more(f"{type(together).__name__} for several requests together, and for none of them alone")
    return alone


def _predict_alone(model: Steps, work: Work) -> Any:
    return attempt(model.predict, work.data, work)


def _predict_together(model: Steps, works: Sequence[Work]) -> list[Any]:
    prediction = model.predict(join([work.data for work in works]), works[0])
    return split(prediction, [rows(work.data) for work in works])


class Pace:
    """How many calls to answer together, learned from how long it took.

    A model whose time hardly depends on the rows (a forest of scikit-learn) takes whatever has queued; one that needs
    long for every row gets only as many calls as fit into the budget, for the first of them waits for the last.
    """

    def __init__(self, most: int = REQUESTS_MAX) -> None:
        self.limit = most
        self._most = most
        self._alone_s = 0.0

    def note(self, calls: int, seconds: float) -> None:
        """So many calls took so long together."""
        if calls == 1:
            self._alone_s += (seconds - self._alone_s) * (0.2 if self._alone_s else 1.0)
        budget_s = max(BUDGET_S, 2 * self._alone_s)
        if seconds > budget_s and calls > 1:
            self.limit = max(1, min(calls - 1, int(calls * budget_s / seconds)))
        elif calls >= self.limit and seconds < budget_s / 2:
            self.limit = min(self._most, self.limit * 2)

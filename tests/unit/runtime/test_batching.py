"""Calls answered together get what they would have got alone, whatever their neighbours do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

np = pytest.importorskip("numpy")

from hypothesis import given  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from moorage.runtime.batching import BUDGET_S, REQUESTS_MAX, Pace  # noqa: E402
from moorage.runtime.calls import Answer, Call, Outcome  # noqa: E402
from moorage.runtime.failures import RequestRefused  # noqa: E402
from moorage.runtime.frameworks.estimator import EstimatorModel  # noqa: E402
from moorage.runtime.script import Hooks, adapt  # noqa: E402
from moorage.runtime.settings import Settings  # noqa: E402
from moorage.runtime.toolkit import LoadedModel  # noqa: E402


class Tripler:
    """Triples the only column; refuses negative numbers, and breaks on 13."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def predict(self, data: Any) -> Any:
        self.asked.append(len(data))
        if (data < 0).any():
            raise ValueError("negative")
        if (data == 13).any():
            raise LookupError("unlucky")
        return data[:, 0] * 3

    def predict_proba(self, data: Any) -> Any:
        return np.column_stack([data[:, 0], 1 - data[:, 0]])


def loaded(native: Any, said: list[str] | None = None, hooks: Hooks | None = None, **settings: Any) -> LoadedModel:
    say = said.append if said is not None else print
    return LoadedModel(EstimatorModel(native, batches=True), hooks or Hooks(), Path("/m"), Settings(**settings), say)


def call(body: bytes, **headers: str) -> Call:
    listed = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Call(body, listed, dict(listed))


def said_of(outcome: Outcome) -> Any:
    if isinstance(outcome, Answer):
        assert isinstance(outcome.body, bytes)
        return outcome.media, outcome.body
    return type(outcome), str(outcome)


numbers = st.one_of(st.integers(-1, 3), st.just(13), st.floats(0, 1))
rows = st.lists(numbers.map(lambda number: [number]), min_size=1, max_size=3)
bodies = st.one_of(
    rows.map(lambda data: json.dumps(data).encode()),
    rows.map(lambda data: json.dumps({"instances": data}).encode()),
    st.sampled_from([b"{", b"[]", b"[[1, 2]]", b'{"instances": 1}', b"null"]),
)
calls = st.builds(
    call, bodies, accept=st.sampled_from(["", "text/csv", "image/png"]), content_type=st.just("application/json")
)


@given(st.lists(calls, min_size=1, max_size=8))
def test_nobody_notices_who_else_was_asked_about(calls: list[Call]) -> None:
    alone = [said_of(loaded(Tripler()).answer_all([each])[0]) for each in calls]
    assert alone == [said_of(outcome) for outcome in loaded(Tripler()).answer_all(calls)]


def test_what_goes_together_is_predicted_at_once() -> None:
    native = Tripler()
    outcomes = loaded(native).answer_all([call(b"[[%d]]" % number) for number in range(5)])
    assert [b"[0]", b"[3]", b"[6]", b"[9]", b"[12]"] == [said_of(outcome)[1] for outcome in outcomes]
    assert [5] == native.asked


def test_a_bad_row_fails_only_who_sent_it() -> None:
    native = Tripler()
    outcomes = loaded(native).answer_all([call(b"[[1]]"), call(b"[[-1]]"), call(b"[[13]]")])
    assert [
        ("application/json", b"[3]"),
        (RequestRefused, "ValueError: negative"),
        (LookupError, "unlucky"),
    ] == [said_of(outcome) for outcome in outcomes]
    assert [3, 1, 1, 1] == native.asked


def test_a_model_that_mixes_rows_up_is_asked_alone_from_then_on() -> None:
    class Summing:
        def predict(self, data: Any) -> Any:
            return data.sum(axis=0)

    said: list[str] = []
    model = loaded(Summing(), said)
    assert model.calls_max > 1
    calls = [call(b"[[1], [2]]"), call(b"[[3], [4]]")]
    assert [b"[3]", b"[7]"] == [said_of(outcome)[1] for outcome in model.answer_all(calls)]
    assert 1 == model.calls_max
    assert ["requests are predicted one by one from now on: it answers 4 rows with 1"] == said


def test_a_model_that_takes_one_row_only_is_asked_alone_from_then_on() -> None:
    class OneRow:
        def predict(self, data: Any) -> Any:
            if len(data) > 1:
                raise ValueError("batch size is 1")
            return data[:, 0]

    said: list[str] = []
    model = loaded(OneRow(), said)
    assert [b"[1]", b"[2]"] == [said_of(o)[1] for o in model.answer_all([call(b"[[1]]"), call(b"[[2]]")])]
    assert 1 == model.calls_max
    assert "RequestRefused for several requests together, and for none of them alone" in said[0]


def test_a_script_that_exits_has_failed() -> None:
    def predict(data: Any, model: Any) -> Any:
        raise SystemExit(3)

    (outcome,) = loaded(Tripler(), hooks=Hooks(predict_fn=adapt(predict, 2))).answer_all([call(b"[[1]]")])
    assert (RuntimeError, "The model's code called sys.exit(3)") == said_of(outcome)


@pytest.mark.parametrize("batching", ["off", "auto"])
def test_who_is_batched(batching: Any) -> None:
    assert (REQUESTS_MAX if batching == "auto" else 1) == loaded(Tripler(), batching=batching).calls_max
    scripted = Hooks(predict_fn=adapt(lambda data, model: data, 2))
    assert 1 == loaded(Tripler(), hooks=scripted, batching=batching).calls_max


class TestPace:
    """How many calls are answered together."""

    def test_a_model_that_takes_as_long_for_many_gets_many(self) -> None:
        pace = Pace()
        pace.note(1, 0.1)
        for _ in range(10):
            pace.note(64, 0.11)
        assert REQUESTS_MAX == pace.limit

    def test_a_model_that_needs_long_for_each_gets_as_many_as_fit_into_the_budget(self) -> None:
        pace = Pace()
        for calls in (1, 64, pace.limit, pace.limit):
            calls = min(calls, pace.limit)
            pace.note(calls, calls * 0.01)
        assert pace.limit * 0.01 <= BUDGET_S

    def test_it_recovers_when_the_model_is_fast_again(self) -> None:
        pace = Pace()
        pace.note(1, 0.001)
        pace.note(256, 10.0)
        assert pace.limit < 256
        for _ in range(10):
            pace.note(pace.limit, 0.001)
        assert REQUESTS_MAX == pace.limit

    def test_a_call_that_takes_long_alone_gets_company_of_its_kind(self) -> None:
        pace = Pace()
        pace.note(1, 0.2)
        pace.note(2, 0.4)
        assert pace.limit >= 2

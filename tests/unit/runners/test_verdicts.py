"""What instances say of their compiled models, as the agent keeps it."""

from __future__ import annotations

from typing import Any

import pytest

from moorage.runners.process import verdicts
from moorage.runners.process.verdicts import Verdict, Verdicts, key_of

OWN: dict[str, Any] = {
    "data": {"d1", "d2"},
    "framework": "sklearn",
    "python": ["/environments/a/bin/python"],
    "environment": {"A": "1", "B": "2"},
}


def test_a_verdict_is_found_by_its_key_and_no_other() -> None:
    found = Verdicts()
    found.note("one", b'{"rows": 128, "quickened": true, "reason": ""}')
    assert (Verdict(128, True, ""), None) == (found.find("one"), found.find("other"))


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"{",
        b'{"rows": "128", "quickened": true, "reason": ""}',
        b'{"rows": -1, "quickened": true, "reason": ""}',
        b'{"rows": 128, "quickened": true, "reason": "", "code": "import os"}',
        b'{"rows": 128, "quickened": true, "reason": "%s"}' % (b"x" * 2000),
    ],
)
def test_what_is_no_verdict_is_not_kept(said: bytes) -> None:
    found = Verdicts()
    found.note("one", said)
    assert found.find("one") is None


def test_those_asked_for_last_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verdicts, "_COUNT_MAX", 2)
    found = Verdicts()
    for key in "ab":
        found.note(key, b'{"rows": 1, "quickened": false, "reason": ""}')
    found.find("a")
    found.note("c", b'{"rows": 1, "quickened": false, "reason": ""}')
    assert [True, False, True] == [found.find(key) is not None for key in "abc"]


@pytest.mark.parametrize(
    "other",
    [
        {"data": {"d1"}},
        {"data": {"d1", "d3"}},
        {"framework": "xgboost"},
        {"python": ["/environments/b/bin/python"]},
        {"python": ["/environments/a/bin/python", "/environments/overlay"]},
        {"environment": {"A": "1"}},
        {"environment": {"A": "1", "B": "3"}},
        {"environment": {"A": "2", "B": "1"}},
    ],
)
def test_whatever_an_instance_is_made_of_is_in_its_key(other: dict[str, Any]) -> None:
    assert key_of(**OWN) != key_of(**{**OWN, **other})


def test_the_order_of_things_is_not() -> None:
    turned = {"data": {"d2", "d1"}, "environment": {"B": "2", "A": "1"}}
    assert key_of(**OWN) == key_of(**{**OWN, **turned})

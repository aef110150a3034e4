"""What a sandbox is told, read from JSON; and what of the host is always kept in view."""

import json
import sys

import pytest

from moorage.runtime.sandbox.plan import Place, Sandbox, View
from moorage.runtime.sandbox.view import interpreter_paths


def test_nothing_told_is_nothing_done() -> None:
    assert Sandbox() == Sandbox.of({})


def test_a_sandbox_is_read_from_json() -> None:
    told = {
        "user": 700_000,
        "landlock": 7,
        "writable": ["/tmp"],
        "view": {"hidden": ["/run"], "scratch": ["/opt/ml"], "places": [{"source": "/a", "target": "/opt/ml/model"}]},
    }
    view = View(("/run",), ("/opt/ml",), (Place("/a", "/opt/ml/model", writable=False),))
    assert Sandbox(user=700_000, landlock=7, writable=("/tmp",), view=view) == Sandbox.of(json.loads(json.dumps(told)))


def test_what_is_not_known_is_not_passed_over() -> None:
    with pytest.raises(TypeError, match="memory_byte"):
        Sandbox.of({"memory_byte": 1})


def test_the_interpreter_and_its_modules_are_kept_and_none_twice() -> None:
    kept = interpreter_paths()
    for needed in (sys.base_prefix, json.__file__, pytest.__file__):
        assert any(needed == path or needed.startswith(f"{path}/") for path in kept), needed
    assert not [(outer, inner) for outer in kept for inner in kept if inner.startswith(f"{outer}/")]
    assert "/" not in kept

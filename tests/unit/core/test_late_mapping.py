"""A mapping that is made late is as good as one that was made at once."""

from __future__ import annotations

from collections.abc import Mapping

from moorage.core.late_mapping import LateMapping


def test_it_is_equal_to_what_is_made_both_ways() -> None:
    late: Mapping[int, str] = LateMapping(lambda: {1: "a", 2: "b"})
    assert late == {1: "a", 2: "b"}
    assert {1: "a", 2: "b"} == late
    assert late != {1: "a"}
    assert ("a", 2, [1, 2], [(1, "a"), (2, "b")]) == (late[1], len(late), list(late), list(late.items()))
    assert "{1: 'a', 2: 'b'}" == repr(late)


def test_it_is_made_once_and_not_before_somebody_looks() -> None:
    made: list[int] = []

    def make() -> Mapping[int, int]:
        made.append(1)
        return {}

    late = LateMapping(make)
    assert [] == made
    assert (0, {}, None) == (len(late), dict(late), late.get(3))
    assert [1] == made

"""Which logs give way when they take too much room."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from moorage.core.log_room import Taken, make_room

KIB = 1024
MIB = 1024 * KIB


def cuts(*streams: Taken, bytes_max: int = 100 * MIB, stream_bytes_max: int = 100 * MIB) -> list[tuple[str, int, bool]]:
    decided = make_room(streams, bytes_max=bytes_max, stream_bytes_max=stream_bytes_max)
    return [(cut.stream, cut.left_bytes, cut.is_removal) for cut in decided]


def test_with_room_enough_nothing_goes() -> None:
    assert [] == cuts(Taken("a", 60 * MIB, 1, False), Taken("b", 40 * MIB, 2, True))


def test_a_stream_that_is_too_large_loses_its_oldest_quarter() -> None:
    streams = (Taken("a", 9 * MIB, 1, False), Taken("b", 8 * MIB, 2, True))
    assert [("a", 6 * MIB, False)] == cuts(*streams, stream_bytes_max=8 * MIB)


def test_those_that_nobody_writes_any_more_go_first_the_oldest_of_them_first() -> None:
    streams = (
        Taken("living", 50 * MIB, 1, False),
        Taken("newer", 30 * MIB, 9, True),
        Taken("oldest", 20 * MIB, 2, True),
        Taken("older", 10 * MIB, 3, True),
    )
    assert [("oldest", 0, True)] == cuts(*streams)
    assert [("oldest", 0, True), ("older", 0, True), ("newer", 0, True)] == cuts(*streams, bytes_max=60 * MIB)


def test_then_the_largest_are_halved() -> None:
    streams = (Taken("a", 64 * MIB, 1, False), Taken("b", 40 * MIB, 2, False), Taken("c", MIB, 3, False))
    assert [("a", 32 * MIB, False)] == cuts(*streams)
    assert {("a", 16 * MIB, False), ("b", 20 * MIB, False)} == set(cuts(*streams, bytes_max=50 * MIB))


def test_it_is_said_why() -> None:
    (cut,) = make_room([Taken("a", 9 * MIB, 1, False)], bytes_max=8 * MIB, stream_bytes_max=MIB * 99)
    assert "log_bytes_max is 8388608 bytes" == cut.why


SIZES = st.lists(st.tuples(st.integers(0, 5 * MIB), st.integers(0, 9), st.booleans()), max_size=20)


@given(sizes=SIZES, bytes_max=st.integers(MIB, 20 * MIB), stream_bytes_max=st.integers(64 * KIB, 6 * MIB))
def test_what_is_left_is_within_bounds(
    sizes: list[tuple[int, int, bool]], bytes_max: int, stream_bytes_max: int
) -> None:
    """But for streams of 64 KiB, which living instances may have however many they are."""
    streams = [Taken(str(number), *facts) for number, facts in enumerate(sizes)]
    left = {taken.stream: taken.size_bytes for taken in streams}
    for cut in make_room(streams, bytes_max=bytes_max, stream_bytes_max=stream_bytes_max):
        assert cut.left_bytes < left[cut.stream]
        left[cut.stream] = cut.left_bytes
    assert max(left.values(), default=0) <= stream_bytes_max
    floor = 64 * KIB * len(streams)
    assert sum(left.values()) <= max(bytes_max, floor)


def test_what_takes_no_room_stays() -> None:
    streams = (Taken("empty", 0, 1, True), Taken("living", 9 * MIB, 2, False))
    assert [("living", 9 * MIB // 2, False)] == cuts(*streams, bytes_max=8 * MIB)

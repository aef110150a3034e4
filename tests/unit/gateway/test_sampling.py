from hypothesis import given
from hypothesis import strategies as st

from moorage.gateway.sampling import Sample


def happen(sample: Sample, count: int) -> list[int]:
    """What the kept ones of `count` events stand for."""
    kept = []
    for _ in range(count):
        if sample.skip:
            sample.skip -= 1
        else:
            kept.append(sample.take())
    return kept


def test_few_events_are_all_kept() -> None:
    sample = Sample(10)
    for _ in range(3):
        assert [1] * 10 == happen(sample, 10)
        sample.begin_second()


def test_many_are_thinned_out_to_the_rate() -> None:
    sample = Sample(10)
    assert 10 + 14 >= len(happen(sample, 10_000)), "the first second has to find out how many there are"
    for _ in range(3):
        sample.begin_second()
        assert 9 <= len(happen(sample, 10_000)) <= 11


def test_when_they_become_few_again_every_one_is_kept() -> None:
    sample = Sample(10)
    happen(sample, 100_000)
    for _ in range(2):
        sample.begin_second()
    kept = happen(sample, 5)
    assert [1] * 4 == kept[1:]


def test_a_rate_of_none_keeps_none() -> None:
    sample = Sample(0)
    for _ in range(3):
        assert [] == happen(sample, 1_000)
        sample.begin_second()


@given(rate=st.integers(1, 20), seconds=st.lists(st.integers(0, 2_000), max_size=12))
def test_those_kept_stand_for_all(rate: int, seconds: list[int]) -> None:
    sample = Sample(rate)
    told = 0
    for count in seconds:
        told += sum(happen(sample, count))
        sample.begin_second()
    sample.begin_second()  # nothing happens: by then every one is kept
    assert sum(seconds) + 1 == told + sum(happen(sample, 1))

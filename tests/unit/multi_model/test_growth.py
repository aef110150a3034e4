"""What models are taken to need of memory, by how a process has grown with others."""

from __future__ import annotations

from moorage.runtime.multi_model.growth import Growth


def test_until_something_is_known_a_guess_has_to_do() -> None:
    growth = Growth(1000, ratio=2.0)
    growth.note(1000, size=50)
    growth.note(900, size=50)
    assert (20, 500) == (growth.bytes_of(10), growth.grown(1500))


def test_while_it_grows_a_process_tells_what_models_take() -> None:
    growth = Growth(1000, ratio=1.0)
    growth.note(4000, size=1000)
    assert 30 == growth.bytes_of(10)
    growth.note(9000, size=2000)
    assert 40 == growth.bytes_of(10)


def test_what_others_have_left_behind_is_not_what_fewer_need() -> None:
    growth = Growth(0, ratio=1.0)
    growth.note(4000, size=1000)
    growth.note(4000, size=100)
    growth.note(4100, size=100)
    growth.note(3000, size=50)
    assert 40 == growth.bytes_of(10)


def test_the_imports_of_a_first_model_are_not_its_size() -> None:
    growth = Growth(0, ratio=1.0)
    growth.note(1_000_000, size=10)
    assert 160 == growth.bytes_of(10)
    growth.note(1_100_000, size=1_000_000)
    assert 11 == growth.bytes_of(10)

import threading

import pytest

from moorage.runtime.multi_model.lane import Crew, Lane

PATIENCE_S = 20.0


def test_a_model_never_meets_a_second_thread_and_keeps_the_order() -> None:
    crew = Crew(4)
    lane = Lane(crew)
    inside, seen = threading.Lock(), []

    def call(number: int) -> int:
        assert inside.acquire(blocking=False)
        seen.append(number)
        inside.release()
        return number

    futures = [lane.submit(call, number) for number in range(500)]
    assert list(range(500)) == [future.result(PATIENCE_S) for future in futures]
    assert list(range(500)) == seen
    crew.shutdown()


def test_models_work_beside_each_other() -> None:
    crew = Crew(2)
    meeting = threading.Barrier(2)
    futures = [Lane(crew).submit(meeting.wait, PATIENCE_S) for _ in range(2)]
    assert {0, 1} == {future.result(PATIENCE_S) for future in futures}
    crew.shutdown()


def test_a_call_that_fails_is_followed_by_the_next() -> None:
    crew = Crew(1)
    lane = Lane(crew)
    broken, whole = lane.submit(int, "x"), lane.submit(int, "1")
    with pytest.raises(ValueError, match="invalid literal"):
        broken.result(PATIENCE_S)
    assert 1 == whole.result(PATIENCE_S)
    crew.shutdown()


def test_the_crew_says_for_how_long_a_call_has_taken() -> None:
    crew = Crew(1)
    assert 0.0 == crew.busy_s()
    began, may_end = threading.Event(), threading.Event()

    def call() -> None:
        began.set()
        may_end.wait(PATIENCE_S)

    future = Lane(crew).submit(call)
    began.wait(PATIENCE_S)
    assert crew.busy_s() > 0.0
    may_end.set()
    future.result(PATIENCE_S)
    crew.shutdown()
    assert 0.0 == crew.busy_s()

from moorage.gateway.health import Health


def test_an_ejection_grows_from_one_second_to_thirty() -> None:
    health, now, lengths = Health(), 0.0, []
    for _ in range(8):
        health.record_failure(now=now)
        length = next(seconds for seconds in range(1, 40) if not health.is_ejected(now + seconds))
        lengths.append(length)
        now += length
    assert [1, 2, 4, 8, 16, 30, 30, 30] == lengths


def test_failures_during_an_ejection_do_not_lengthen_it() -> None:
    health = Health()
    for _ in range(50):
        health.record_failure(now=0.5)
    assert health.is_ejected(1.4)
    assert not health.is_ejected(1.5)


def test_a_success_forgives() -> None:
    health = Health()
    health.record_failure(now=0)
    health.record_success()
    assert not health.is_ejected(0)
    health.record_failure(now=0)
    assert not health.is_ejected(1)

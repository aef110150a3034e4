from moorage.gateway.health import SILENCE_S, Health, Silence


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


def test_a_suspension_lasts_until_a_ping_or_a_request_is_answered() -> None:
    health = Health()
    for answer in (health.resume, health.record_success):
        health.suspend()
        assert health.is_suspended
        assert health.is_ejected(1e9)
        answer()
        assert not health.is_ejected(0)


def test_failures_of_a_suspended_instance_prove_nothing_new() -> None:
    health = Health()
    health.suspend()
    health.record_failure(now=5)
    health.resume()
    assert not health.is_ejected(5)


def test_a_ping_does_not_end_an_ejection() -> None:
    health = Health()
    health.record_failure(now=0)
    health.suspend()
    health.resume()
    assert health.is_ejected(0.9)
    assert not health.is_ejected(1)


def test_silence_is_requests_and_no_answers() -> None:
    health = Health()
    silence = Silence(health, now=0)
    assert not silence.look(1, now=SILENCE_S - 0.01)
    assert silence.look(1, now=SILENCE_S)


def test_an_answer_breaks_the_silence() -> None:
    health = Health()
    silence = Silence(health, now=0)
    health.record_success()
    assert not silence.look(1, now=0.4)
    assert not silence.look(1, now=0.8)
    assert silence.look(1, now=0.9)


def test_who_is_asked_nothing_is_not_silent() -> None:
    silence = Silence(Health(), now=0)
    assert not silence.look(0, now=100)
    assert not silence.look(1, now=100.4)
    assert silence.look(1, now=100.5)


def test_an_answered_ping_is_good_for_a_while() -> None:
    silence = Silence(Health(), now=0)
    assert silence.look(1, now=1)
    silence.heard(now=1)
    assert not silence.look(1, now=1.4)
    assert silence.look(1, now=1.5)

from moorage.gateway.health import SILENCE_S, Health, Look, Silence


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
    silence = Silence(Health(), now=0)
    assert Look.WELL is silence.look(1, now=SILENCE_S - 0.01)
    assert Look.SILENT is silence.look(1, now=SILENCE_S)


def test_an_answer_breaks_the_silence() -> None:
    health = Health()
    silence = Silence(health, now=0)
    for answer, now in ((health.record_success, 10.0), (health.resume, 20.0)):
        answer()
        looks = [silence.look(1, now=now + passed) for passed in (0, 0.3, 0.5)]
        assert [Look.WELL, Look.WELL, Look.SILENT] == looks


def test_who_is_asked_nothing_is_not_silent() -> None:
    silence = Silence(Health(), now=0)
    looks = [silence.look(in_flight, now=now) for in_flight, now in ((0, 100), (1, 100.3), (1, 100.5))]
    assert [Look.IDLE, Look.WELL, Look.SILENT] == looks


def test_who_has_answered_since_the_last_look_is_not_idle() -> None:
    health = Health()
    silence = Silence(health, now=0)
    health.record_success()
    assert [Look.WELL, Look.IDLE] == [silence.look(0, now=1), silence.look(0, now=2)]

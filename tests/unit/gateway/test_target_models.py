from collections import Counter
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.aws.errors import ServiceError
from moorage.core.model import InstanceId
from moorage.gateway.health import Health
from moorage.gateway.target_models import TARGET_MODEL, Homes, target_of

NOW = 100.0
MODELS = [b"model-%d.tar.gz" % number for number in range(1_000)]


@dataclass(eq=False)
class Home:
    id: InstanceId
    in_flight: int = 0
    slots: int = 10
    health: Health = field(default_factory=Health)


def homes(count: int) -> list[Home]:
    return [Home(InstanceId(f"i-{number}")) for number in range(count)]


def places(instances: list[Home]) -> dict[bytes, InstanceId]:
    picked = {model: Homes(instances).pick(model, NOW) for model in MODELS}
    return {model: home.id for model, home in picked.items() if home is not None}


def test_every_instance_is_home_to_its_share_of_the_models() -> None:
    counts = Counter(places(homes(4)).values())
    assert len(MODELS) == sum(counts.values())
    assert all(180 < count < 320 for count in counts.values())


def test_a_new_instance_takes_its_share_and_moves_no_other_model() -> None:
    before, after = places(homes(4)), places(homes(5))
    moved = {model for model in MODELS if before[model] != after[model]}
    assert {InstanceId("i-4")} == {after[model] for model in moved}
    assert 120 < len(moved) < 280


def test_every_worker_finds_the_same_home_whatever_the_order_of_instances() -> None:
    assert places(homes(4)) == places(homes(4)[::-1])


def test_an_instance_that_is_much_busier_than_the_next_is_spared() -> None:
    ring = Homes([replace(home, slots=100) for home in homes(3)])
    first, second, third = ring.ranked(b"m")
    first.in_flight = 4
    assert first is ring.pick(b"m", NOW)
    first.in_flight = 5
    assert second is ring.pick(b"m", NOW)
    first.in_flight, second.in_flight = 15, 5
    assert third is ring.pick(b"m", NOW)


def test_an_instance_that_cannot_be_asked_is_passed_over() -> None:
    ring = Homes(homes(2))
    first, second = ring.ranked(b"m")
    first.health.record_failure(now=NOW)
    assert second is ring.pick(b"m", NOW)
    second.health.record_failure(now=NOW)
    assert first is ring.pick(b"m", NOW)
    first.in_flight = second.in_flight = 10
    assert ring.pick(b"m", NOW) is None


@given(st.lists(st.tuples(st.integers(0, 12), st.booleans()), max_size=5))
def test_whoever_is_picked_has_a_slot_and_is_in_rotation_if_any_is(states: list[tuple[int, bool]]) -> None:
    instances = homes(len(states))
    for instance, (in_flight, is_out) in zip(instances, states, strict=True):
        instance.in_flight = in_flight
        if is_out:
            instance.health.record_failure(now=NOW)
    free = [each for each in instances if each.in_flight < each.slots]
    picked = Homes(instances).pick(b"m", NOW)
    assert (picked is None) == (not free)
    if picked is not None:
        assert picked in free
        assert picked.health.out_until <= NOW or all(each.health.out_until > NOW for each in free)


@pytest.mark.parametrize("target", [b"a.tar.gz", b"sub/dir/a.tar.gz", b"..a", b"a..b/c", b"x" * 1024, b"a b+c%2F"])
def test_targets_that_may_be_models(target: bytes) -> None:
    found = target_of(Homes(homes(1)), {TARGET_MODEL: target}, endpoint="e", request_id="r")
    assert target == found


@pytest.mark.parametrize(
    "target",
    [b"", b"/a", b"a/", b"a//b", b"../a", b"a/../b", b"./a", b"a/..", b"a\\b", b"caf\xe9", b"x" * 1025],
)
def test_targets_that_could_lead_elsewhere(target: bytes) -> None:
    with pytest.raises(ServiceError) as caught:
        target_of(Homes(homes(1)), {TARGET_MODEL: target}, endpoint="e", request_id="r")
    assert ("ValidationError", 400) == (caught.value.code, caught.value.status)
    assert "targetModel" in caught.value.message


def test_many_models_need_a_target_and_one_takes_none() -> None:
    with pytest.raises(ServiceError, match="Request r-1 is missing a target model header"):
        target_of(Homes(homes(1)), {}, endpoint="e", request_id="r-1")
    with pytest.raises(ServiceError, match="Endpoint e is not a multi-model endpoint") as caught:
        target_of(None, {TARGET_MODEL: b"a"}, endpoint="e", request_id="r-1")
    assert {"ErrorCode": "TARGET_MODEL_HEADER_NOT_SUPPORTED"} == caught.value.members
    assert target_of(None, {}, endpoint="e", request_id="r-1") is None

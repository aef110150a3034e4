"""Reservations of one machine: never more than it offers, in the order of asking, and no longer than needed."""

from __future__ import annotations

from collections.abc import Collection

from hypothesis import given
from hypothesis import strategies as st

from moorage.control.capacity import Capacity
from moorage.core.capacity import Offer, Resources
from moorage.core.model import EndpointKey, InstanceId, InstanceSpec
from moorage.testing.builders import KEY, make_endpoint, make_variant, specs_of

SMALL = Offer(Resources(8, 32 << 30), 1, 1)
"""Room for four ml.m5.large."""
KEYS = [EndpointKey("us-east-1", name) for name in ("iris", "rose", "tulip")]


class Heard:
    """What a listener knows to be there, by what it is told."""

    def __init__(self) -> None:
        self.there: list[tuple[EndpointKey, InstanceId]] = []

    def began(self, spec: InstanceSpec) -> None:
        assert (spec.endpoint, spec.id) not in self.there
        self.there.append((spec.endpoint, spec.id))

    def kept(self, key: EndpointKey, instances: Collection[InstanceId]) -> None:
        self.there = [(of, instance) for of, instance in self.there if of != key or instance in instances]


def specs(key: EndpointKey, count: int) -> tuple[InstanceSpec, ...]:
    endpoint = make_endpoint(make_variant(count=count), key=key, uid=key.name)
    return specs_of(endpoint, endpoint.target)


def test_who_comes_first_is_served_first() -> None:
    capacity = Capacity(SMALL)
    first, second = specs(KEYS[0], 3), specs(KEYS[1], 2)
    assert [None] * 4 == [capacity.reserve(spec) for spec in (*first, second[0])]
    assert "8 vCPUs and 32 GiB are reserved" in (capacity.reserve(second[1]) or "")
    assert capacity.reserve(first[0]) is None
    assert (4, Resources(8, 32 << 30)) == (capacity.instances, capacity.reserved)


def test_what_one_endpoint_gives_back_another_may_have() -> None:
    heard = Heard()
    capacity = Capacity(SMALL, heard)
    first, second = specs(KEYS[0], 4), specs(KEYS[1], 1)
    for spec in first:
        capacity.reserve(spec)
    capacity.keep(KEYS[0], [first[0].id, first[2].id])
    assert capacity.reserve(second[0]) is None
    assert [first[0].id, first[2].id, second[0].id] == [instance for _, instance in heard.there]


def test_without_an_offer_there_is_room_for_everything() -> None:
    capacity = Capacity()
    assert {None} == {capacity.reserve(spec) for spec in specs(KEY, 1000)}
    assert Resources() == capacity.reserved


@given(st.lists(st.tuples(st.sampled_from(KEYS), st.integers(0, 5), st.booleans()), max_size=60))
def test_there_is_never_more_reserved_than_is_offered(asked: list[tuple[EndpointKey, int, bool]]) -> None:
    heard = Heard()
    capacity = Capacity(SMALL, heard)
    for key, ordinal, asks in asked:
        spec = specs(key, 6)[ordinal]
        if asks:
            capacity.reserve(spec)
        else:
            capacity.keep(key, [each.id for each in specs(key, ordinal)])
        assert capacity.reserved.vcpus <= SMALL.total.vcpus
        assert capacity.reserved.memory_bytes <= SMALL.total.memory_bytes
        assert capacity.instances == len(heard.there)

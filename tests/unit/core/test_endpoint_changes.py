"""What the API may ask of an endpoint."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from moorage.core import endpoint as change
from moorage.core.model import Endpoint, EndpointStatus
from moorage.testing.builders import T0, make_endpoint, make_variant, specs_of

LATER = T0 + timedelta(minutes=1)


def in_service(*counts: int) -> Endpoint:
    endpoint = make_endpoint(*(make_variant(f"v{n}", count=count) for n, count in enumerate(counts or (1,))))
    return replace(endpoint, status=EndpointStatus.IN_SERVICE, serving=endpoint.target, target=None)


def test_an_update_shows_at_once_and_gets_a_generation_of_its_own() -> None:
    updated = change.update(in_service(), config_name="config-2", variants=[make_variant()], now=LATER)
    assert EndpointStatus.UPDATING == updated.status
    assert LATER == updated.modified_at
    assert updated.target is not None
    assert 2 == updated.target.generation


def test_a_generation_is_never_given_out_twice() -> None:
    updated = change.update(in_service(), config_name="config-2", variants=[make_variant()], now=LATER)
    rolled_back = replace(updated, status=EndpointStatus.IN_SERVICE, target=None)
    again = change.update(rolled_back, config_name="config-3", variants=[make_variant()], now=LATER)
    assert again.target is not None
    assert 3 == again.target.generation


def test_an_update_forgets_why_the_last_one_failed() -> None:
    failed = replace(in_service(), failure_reason="The last update failed.")
    assert change.update(failed, config_name="c", variants=[make_variant()], now=LATER).failure_reason is None


def test_a_resize_keeps_the_instances_both_fleets_want() -> None:
    before = in_service(2)
    resized = change.set_weights_and_capacities(before, {"v0": change.VariantChange(desired_count=3)}, now=LATER)
    old, new = specs_of(resized, resized.serving), specs_of(resized, resized.target)
    assert [spec.id for spec in old] == [spec.id for spec in new[:2]]
    assert 3 == len(new)


def test_a_resize_leaves_alone_what_it_does_not_name() -> None:
    changes = {"v1": change.VariantChange(desired_weight=3.0)}
    resized = change.set_weights_and_capacities(in_service(1, 2), changes, now=LATER)
    assert resized.target is not None
    assert [(1.0, 1), (3.0, 2)] == [(v.desired_weight, v.desired_count) for v in resized.target.variants]


def test_a_resize_of_a_variant_that_is_not_there_is_refused() -> None:
    with pytest.raises(change.UnknownVariant) as refusal:
        change.set_weights_and_capacities(in_service(), {"nobody": change.VariantChange()}, now=LATER)
    assert ("nobody",) == refusal.value.args[0]


def test_deleting_keeps_the_fleets_to_be_described_by() -> None:
    deleted = change.delete(in_service(), now=LATER)
    assert EndpointStatus.DELETING == deleted.status
    assert "config-1" == deleted.config_name


@pytest.mark.parametrize("status", [EndpointStatus.CREATING, EndpointStatus.UPDATING, EndpointStatus.DELETING])
def test_an_endpoint_in_progress_is_left_alone(status: EndpointStatus) -> None:
    busy = replace(in_service(), status=status)
    with pytest.raises(change.IllegalTransition):
        change.delete(busy, now=LATER)
    with pytest.raises(change.IllegalTransition):
        change.update(busy, config_name="c", variants=[make_variant()], now=LATER)

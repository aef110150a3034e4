from dataclasses import replace

import pytest

from moorage.core.concurrency import concurrency_max, is_valid
from moorage.core.fleets import make_route
from moorage.core.model import InstanceState, RoutingStrategy
from moorage.testing.builders import by_id, make_endpoint, make_variant, observe, specs_of


def test_a_route_says_how_its_instances_are_to_be_used() -> None:
    plain = make_variant("Plain")
    container = replace(plain.containers[0], environment={"MOORAGE_CONCURRENCY": "8"})
    particular = replace(plain, name="Particular", containers=(container,), routing_strategy=RoutingStrategy.RANDOM)
    endpoint = make_endpoint(plain, particular)
    assert endpoint.target is not None
    observed = [observe(spec, InstanceState.READY) for spec in specs_of(endpoint, endpoint.target)]
    route = make_route(endpoint, endpoint.target, by_id(observed))
    assert [
        ("Plain", RoutingStrategy.LEAST_OUTSTANDING_REQUESTS, None),
        ("Particular", RoutingStrategy.RANDOM, 8),
    ] == [(each.name, each.routing_strategy, each.concurrency_max) for each in route.variants]


@pytest.mark.parametrize(
    ("value", "expected"),
    [("1", 1), ("10000", 10_000), ("10001", None), ("0", None), ("-1", None), ("08", None), ("", None), ("8 ", None)],
)
def test_what_concurrency_may_be(value: str, expected: int | None) -> None:
    environment = {"MOORAGE_CONCURRENCY": value}
    assert (expected, expected is not None) == (concurrency_max(environment), is_valid(environment))

from dataclasses import replace

import pytest

from moorage.core.concurrency import concurrency_max, is_valid
from moorage.core.fleets import make_route
from moorage.core.model import Container, ExecutionMode, InstanceState, RoutingStrategy
from moorage.core.routes import VariantRoute
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


def with_containers(*environments: dict[str, str], mode: ExecutionMode = ExecutionMode.SERIAL) -> VariantRoute:
    """The route of a variant with a container for each environment."""
    containers = tuple(
        Container("image", environment=environment, name=f"c{number}")
        for number, environment in enumerate(environments, 1)
    )
    endpoint = make_endpoint(replace(make_variant(), containers=containers, execution_mode=mode))
    assert endpoint.target is not None
    return make_route(endpoint, endpoint.target, {}).variants[0]


@pytest.mark.parametrize(
    ("names", "is_direct", "count", "mode"),
    [
        ((), False, 1, ExecutionMode.SERIAL),
        ((), False, 1, ExecutionMode.DIRECT),
        (("c1", "c2"), False, 2, ExecutionMode.SERIAL),
        (("c1", "c2", "c3"), True, 3, ExecutionMode.DIRECT),
    ],
)
def test_the_gateway_learns_of_several_containers(
    names: tuple[str, ...], is_direct: bool, count: int, mode: ExecutionMode
) -> None:
    route = with_containers(*[{}] * count, mode=mode)
    assert (names, is_direct) == (route.containers, route.is_direct)


def test_an_instance_is_asked_no_more_than_any_of_its_containers_takes() -> None:
    assert with_containers({}, {}).concurrency_max is None
    assert 3 == with_containers({"MOORAGE_CONCURRENCY": "8"}, {}, {"MOORAGE_CONCURRENCY": "3"}).concurrency_max


def test_the_gateway_learns_that_a_request_says_which_model_it_is_for() -> None:
    plain = make_variant()
    many = replace(plain, containers=(replace(plain.containers[0], is_multi_model=True),))
    for variant, expected in ((plain, False), (many, True)):
        endpoint = make_endpoint(variant)
        assert endpoint.target is not None
        assert expected is make_route(endpoint, endpoint.target, {}).variants[0].is_multi_model

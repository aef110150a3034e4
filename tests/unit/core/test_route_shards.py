from hypothesis import given
from hypothesis import strategies as st

from moorage.core.route_shards import SHARD_COUNT, ShardedRoutes
from moorage.core.routes import EndpointRoute

NAMES = st.text("ab-", min_size=1, max_size=4)
ROUTES = st.builds(EndpointRoute, st.just("arn"), st.sampled_from(["c-1", "c-2"]), st.just(()))


@given(st.dictionaries(NAMES, ROUTES), st.dictionaries(NAMES, st.none() | ROUTES))
def test_shards_are_a_mapping_like_any_other(
    routes: dict[str, EndpointRoute], changes: dict[str, EndpointRoute | None]
) -> None:
    sharded = ShardedRoutes.of(routes)
    changed = sharded.replaced(changes)
    expected = {name: route for name, route in {**routes, **changes}.items() if route is not None}
    assert expected == changed
    assert (len(expected), bool(expected)) == (len(changed), bool(changed))
    assert routes == sharded, "a change leaves the value it was made from as it is"


def test_a_change_touches_one_shard() -> None:
    route = EndpointRoute("arn", "c", ())
    before = ShardedRoutes.of({f"endpoint-{n}": route for n in range(5_000)})
    after = before.replaced({"endpoint-7": None})
    assert SHARD_COUNT - 1 == sum(one is other for one, other in zip(before.shards, after.shards, strict=True))


def test_names_spread_over_the_shards() -> None:
    sharded = ShardedRoutes.of({f"endpoint-{n:05}": EndpointRoute("arn", "c", ()) for n in range(10_000)})
    assert 60 > max(map(len, sharded.shards))

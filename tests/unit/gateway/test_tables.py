import asyncio
import gc
import weakref

from moorage.core.model import InstanceId
from moorage.core.routes import EndpointRoute, InstanceRoute, RouteTable, VariantRoute
from moorage.gateway.instance import Instance
from moorage.gateway.ledger import Ledger
from moorage.gateway.tables import Tables


def table(version: int, *ids: str, name: str = "iris") -> RouteTable:
    routes = tuple(InstanceRoute(InstanceId(each), f"/run/{each}") for each in ids)
    return RouteTable(
        version, endpoints={"eu-west-1": {name: EndpointRoute("arn", "c", (VariantRoute("v", 1, routes),))}}
    )


def instances(tables: Tables) -> tuple[Instance, ...]:
    assert tables.routes is not None
    endpoint = tables.routes.endpoint("eu-west-1", "iris")
    assert endpoint is not None
    return endpoint.variants["v"].instances


def test_an_older_table_is_not_installed(ledger: Ledger) -> None:
    tables = Tables(lambda: 0.0, ledger, monotonic=lambda: 0.0)
    for version, expected in ((2, 2), (1, 2), (3, 3)):
        tables.install(table(version))
        assert tables.routes is not None
        assert expected == tables.routes.version


def test_names_are_found_in_their_region_and_case_only(ledger: Ledger) -> None:
    tables = Tables(lambda: 0.0, ledger, monotonic=lambda: 0.0)
    tables.install(table(1))
    assert tables.routes is not None
    assert tables.routes.endpoint("eu-west-1", "iris") is not None
    assert tables.routes.endpoint("eu-west-1", "Iris") is None
    assert tables.routes.endpoint("us-east-1", "iris") is None


def test_an_instance_keeps_its_count_and_health_from_table_to_table(ledger: Ledger) -> None:
    tables = Tables(lambda: 0.0, ledger, monotonic=lambda: 0.0)
    tables.install(table(1, "i-1", "i-2"))
    (first, _) = instances(tables)
    first.health.record_failure(now=0)
    tables.install(table(2, "i-1", "i-3"))
    assert first is instances(tables)[0]
    assert first.health.is_ejected(0.5)


async def test_a_drain_sees_requests_admitted_under_an_older_table(ledger: Ledger) -> None:
    tables = Tables(lambda: 0.0, ledger, monotonic=lambda: 0.0)
    tables.install(table(1, "i-1", "i-2"))
    (first, _) = instances(tables)
    first.in_flight += 1
    for version in (2, 3, 4):
        tables.install(table(version, "i-9"))
    assert [InstanceId("i-2")] == await tables.live.drain([InstanceId("i-1"), InstanceId("i-2")], timeout_s=0.001)
    drain = asyncio.create_task(tables.live.drain([InstanceId("i-1")], timeout_s=60))
    await asyncio.sleep(0)
    assert not drain.done()
    first.leave()
    assert [InstanceId("i-1")] == await drain
    del first
    assert [InstanceId("i-1")] == await tables.live.drain([InstanceId("i-1")], timeout_s=0)


async def test_a_drained_instance_that_is_routed_to_again_is_the_same(ledger: Ledger) -> None:
    tables = Tables(lambda: 0.0, ledger, monotonic=lambda: 0.0)
    tables.install(table(1, "i-1"))
    (first,) = instances(tables)
    first.in_flight += 1
    tables.install(table(2))
    tables.install(table(3, "i-1"))
    assert 1 == instances(tables)[0].in_flight
    first.leave()
    assert 0 == instances(tables)[0].in_flight


def test_what_has_not_changed_stays_prepared_and_what_has_is_prepared_anew(ledger: Ledger) -> None:
    tables = Tables(lambda: 0.0, ledger, monotonic=lambda: 0.0)
    for version, ids, is_kept in ((1, ["i-1"], False), (2, ["i-1"], True), (3, ["i-1", "i-2"], False)):
        before = tables.routes.endpoint("eu-west-1", "iris") if tables.routes else None
        tables.install(table(version, *ids))
        assert tables.routes is not None
        after = tables.routes.endpoint("eu-west-1", "iris")
        assert after is not None
        assert is_kept == (before is after)
        assert len(ids) == len(after.variants["v"].instances)


def test_a_swap_looks_at_nothing_and_renewing_at_everything_in_use(ledger: Ledger) -> None:
    tables = Tables(lambda: 0.0, ledger, monotonic=lambda: 0.0)
    names = [f"e{n}" for n in range(100)]
    many = {name: table(1, f"i-{name}", name=name).endpoints["eu-west-1"][name] for name in names}
    tables.install(RouteTable(1, endpoints={"eu-west-1": many}))
    assert tables.routes is not None
    for name in names:
        tables.routes.endpoint("eu-west-1", name)
    tables.install(RouteTable(2, endpoints={"eu-west-1": {"e7": many["e7"]}}))
    assert 100 == len(tables.routes.prepared())
    steps = len(list(tables.renew()))
    assert [("eu-west-1", "e7")] == tables.routes.prepared()
    assert 2 < steps < 10


def test_a_swap_ends_the_renewing_for_the_table_before(ledger: Ledger) -> None:
    tables = Tables(lambda: 0.0, ledger, monotonic=lambda: 0.0)
    tables.install(table(1, "i-1"))
    (instance,) = instances(tables)
    tables.install(RouteTable(2))
    renewing = tables.renew()
    next(renewing)
    tables.install(table(3, "i-1"))
    assert [] == list(renewing)
    assert (instance,) == instances(tables)


def test_what_is_gone_is_forgotten_without_a_search_for_garbage(ledger: Ledger) -> None:
    tables = Tables(lambda: 0.0, ledger, monotonic=lambda: 0.0)
    gc.collect()
    gc.disable()
    try:
        tables.install(table(1, "i-1"))
        replaced = weakref.ref(instances(tables)[0])
        tables.install(table(2, "i-2"))
        removed = weakref.ref(instances(tables)[0])
        assert replaced() is None
        tables.install(RouteTable(3))
        list(tables.renew())
        assert removed() is None
    finally:
        gc.enable()


def test_many_endpoints_in_use_do_not_make_the_search_for_garbage_longer(ledger: Ledger) -> None:
    tables = Tables(lambda: 0.0, ledger, monotonic=lambda: 0.0)
    names = [f"e{n}" for n in range(1_000)]
    many = {name: table(1, f"i-{name}", name=name).endpoints["eu-west-1"][name] for name in names}
    tables.install(RouteTable(1, endpoints={"eu-west-1": many}))
    assert tables.routes is not None
    before = len(gc.get_objects())
    try:
        for name in names:
            tables.routes.endpoint("eu-west-1", name)
        assert before + 256 * 100 > len(gc.get_objects())
    finally:
        gc.unfreeze()

import hmac
from dataclasses import replace
from pathlib import Path

import pytest

from moorage.core.iam.conditions import Condition
from moorage.core.iam.evaluation import Grant, Proviso
from moorage.core.iam.policy import Effect
from moorage.core.model import InstanceId
from moorage.core.route_shards import SHARD_COUNT, ShardedRoutes
from moorage.core.routes import AccessKey, EndpointRoute, InstanceRoute, InvokePermission, RouteTable, VariantRoute
from moorage.system.snapshot import SnapshotInvalid, SnapshotReader, SnapshotWriter

KEY = b"k" * 32

TABLE = RouteTable(
    version=7,
    account_id="123456789012",
    keys={"AKIA": AccessKey("s3cret", "arn:aws:iam::123456789012:root", "123456789012")},
    endpoints={
        "eu-west-1": {
            "iris": EndpointRoute(
                arn="arn:aws:sagemaker:eu-west-1:123456789012:endpoint/iris",
                config_name="iris-1",
                variants=(
                    VariantRoute(
                        "AllTraffic",
                        0.5,
                        (InstanceRoute(InstanceId("i-1"), "/run/i/1.sock"),),
                        containers=("scale", "forest"),
                        is_direct=True,
                    ),
                ),
            )
        }
    },
    permissions={
        "arn:aws:iam::123456789012:user/ann": InvokePermission(
            Grant(
                ("arn:.*",), (), (Proviso(Effect.DENY, ".*", (Condition("null", "sagemaker:targetmodel", ("true",)),)),)
            )
        )
    },
)


def many(count: int) -> dict[str, EndpointRoute]:
    return {f"endpoint-{n}": EndpointRoute("arn", f"config-{n}", ()) for n in range(count)}


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "routes.json"
    writer, reader = SnapshotWriter(path, key=KEY), SnapshotReader(path, key=KEY)
    regions = {"eu-west-1": many(1_000), "us-east-1": {"iris": TABLE.endpoints["eu-west-1"]["iris"]}}
    for table in (RouteTable(), TABLE, replace(TABLE, version=8, endpoints=regions), replace(TABLE, version=9)):
        writer.write(table)
        assert table == reader.read()
        assert table == SnapshotReader(path, key=KEY).read()


def test_a_table_that_was_read_can_be_written_on(tmp_path: Path) -> None:
    path = tmp_path / "routes.json"
    SnapshotWriter(path, key=KEY).write(replace(TABLE, endpoints={"eu-west-1": many(1_000)}))
    read = SnapshotReader(path, key=KEY).read()
    routes = ShardedRoutes.of(read.endpoints["eu-west-1"]).replaced({"endpoint-7": None})
    SnapshotWriter(path, key=KEY).write(replace(read, endpoints={"eu-west-1": routes}))
    expected = many(1_000)
    del expected["endpoint-7"]
    assert {"eu-west-1": expected} == SnapshotReader(path, key=KEY).read().endpoints


def test_tables_share_what_has_not_changed(tmp_path: Path) -> None:
    path = tmp_path / "routes.json"
    writer, reader = SnapshotWriter(path, key=KEY), SnapshotReader(path, key=KEY)
    before = ShardedRoutes.of(many(1_000))
    tables = []
    for version, routes in enumerate((before, before.replaced({"endpoint-7": None}))):
        writer.write(replace(TABLE, version=version, endpoints={"eu-west-1": routes}))
        tables.append(reader.read())
    (first, second) = (ShardedRoutes.of(table.endpoints["eu-west-1"]).shards for table in tables)
    assert SHARD_COUNT - 1 == sum(one is other for one, other in zip(first, second, strict=True))
    assert tables[0].keys is tables[1].keys
    assert (0, 1) == tuple(table.version for table in tables)


def test_the_file_is_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "routes.json"
    SnapshotWriter(path, key=KEY).write(TABLE)
    assert 0o600 == path.stat().st_mode & 0o777


def test_every_changed_byte_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "routes.json"
    SnapshotWriter(path, key=KEY).write(TABLE)
    content = path.read_bytes()
    for index in [*range(300), *range(300, len(content), 31)]:
        path.write_bytes(content[:index] + bytes([content[index] ^ 1]) + content[index + 1 :])
        with pytest.raises(SnapshotInvalid) as caught:
            SnapshotReader(path, key=KEY).read()
        assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"\n", b"moorage-routes-3", b"moorage-routes-3 \n{}", b"{}"])
def test_what_is_no_snapshot_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "routes.json"
    path.write_bytes(content)
    with pytest.raises(SnapshotInvalid):
        SnapshotReader(path, key=KEY).read()


def test_another_key_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "routes.json"
    with pytest.raises(SnapshotInvalid, match="cannot be read"):
        SnapshotReader(path, key=KEY).read()
    SnapshotWriter(path, key=KEY).write(TABLE)
    with pytest.raises(SnapshotInvalid, match="another key"):
        SnapshotReader(path, key=b"other").read()


@pytest.mark.parametrize(
    "rest", [b"", b"{}\n", b'{"version":1,"regions":["eu-west-1"]}\n{}\n{}\n', b'{"version":1,"regions":[]}\n[]\n']
)
def test_what_is_signed_but_no_table_is_refused(tmp_path: Path, rest: bytes) -> None:
    path = tmp_path / "routes.json"
    derived = hmac.digest(KEY, b"moorage-routes-3", "sha256")
    path.write_bytes(b"moorage-routes-3 %b\n%b" % (hmac.digest(derived, rest, "sha256").hex().encode(), rest))
    with pytest.raises(SnapshotInvalid, match="does not hold a route table"):
        SnapshotReader(path, key=KEY).read()

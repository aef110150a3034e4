from pathlib import Path

import pytest

from moorage.core.model import InstanceId
from moorage.core.routes import AccessKey, EndpointRoute, InstanceRoute, RouteTable, VariantRoute
from moorage.system.snapshot import SnapshotInvalid, read_snapshot, write_snapshot

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
                variants=(VariantRoute("AllTraffic", 0.5, (InstanceRoute(InstanceId("i-1"), "/run/i/1.sock"),)),),
            )
        }
    },
)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "routes.json"
    for table in (RouteTable(), TABLE):
        write_snapshot(path, table, key=KEY)
        assert table == read_snapshot(path, key=KEY)


def test_the_file_is_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "routes.json"
    write_snapshot(path, TABLE, key=KEY)
    assert 0o600 == path.stat().st_mode & 0o777


def test_every_changed_byte_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "routes.json"
    write_snapshot(path, TABLE, key=KEY)
    content = path.read_bytes()
    for index in range(len(content)):
        path.write_bytes(content[:index] + bytes([content[index] ^ 1]) + content[index + 1 :])
        with pytest.raises(SnapshotInvalid) as caught:
            read_snapshot(path, key=KEY)
        assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"\n", b"moorage-routes-1", b"moorage-routes-1 \n{}", b"{}"])
def test_what_is_no_snapshot_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "routes.json"
    path.write_bytes(content)
    with pytest.raises(SnapshotInvalid):
        read_snapshot(path, key=KEY)


def test_another_key_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "routes.json"
    with pytest.raises(SnapshotInvalid, match="cannot be read"):
        read_snapshot(path, key=KEY)
    write_snapshot(path, TABLE, key=KEY)
    with pytest.raises(SnapshotInvalid, match="another key"):
        read_snapshot(path, key=b"other")

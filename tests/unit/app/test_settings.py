from pathlib import Path

import pytest

from moorage.app.settings import SettingsError, load_settings


@pytest.mark.parametrize(
    ("name", "value", "least", "most"),
    [
        ("port", "65536", 0, 65_535),
        ("gateway_workers", "0", 1, 64),
        ("instance_concurrency", "0", 1, 10_000),
        ("access_log_successes_per_s", "-1", 0, 100_000),
        ("access_log_bytes_max", "1000", 1 << 20, 1 << 40),
    ],
)
def test_a_number_out_of_range_is_named_with_its_range(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, least: int, most: int
) -> None:
    monkeypatch.setenv(f"MOORAGE_{name.upper()}", value)
    with pytest.raises(SettingsError, match=f"^{name} must be between {least} and {most}, not {value}$"):
        load_settings(tmp_path)


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "moorage.toml").write_text("access_log_successes_per_s = 5\naccess_log_failures_per_s = 6\n")
    monkeypatch.setenv("MOORAGE_ACCESS_LOG_FAILURES_PER_S", "0")
    settings = load_settings(tmp_path)
    assert (5, 0) == (settings.access_log_successes_per_s, settings.access_log_failures_per_s)


@pytest.mark.parametrize("endpoint", ["127.0.0.1:4318", "grpc://127.0.0.1:4317", "http://", "http://collector/?a=b"])
def test_a_collector_has_an_http_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    monkeypatch.setenv("MOORAGE_OTLP_ENDPOINT", endpoint)
    with pytest.raises(SettingsError, match=r"^otlp_endpoint must look like http://127.0.0.1:4318, not"):
        load_settings(tmp_path)


def test_a_collector_without_the_extra_is_refused_with_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOORAGE_OTLP_ENDPOINT", "http://127.0.0.1:4318")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SettingsError, match=r"pip install 'moorage\[otel\]'"):
        load_settings(tmp_path)


def test_a_price_file_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOORAGE_PRICES_FILE", "/nowhere/prices.toml")
    with pytest.raises(SettingsError, match=r"^prices_file /nowhere/prices.toml cannot be used: .*No such file"):
        load_settings(tmp_path)


def test_a_machine_offers_what_it_has_as_often_as_the_settings_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOORAGE_OVERCOMMIT_CPU", "1.5")
    monkeypatch.setenv("MOORAGE_REQUIRE_ACCELERATORS", "false")
    offer = load_settings(tmp_path).offer
    assert offer.machine.vcpus * 1.5 == offer.total.vcpus
    assert not offer.needs_accelerators


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("NOTIFICATION_HOSTS", "10.0.0.1/8", "^notification_hosts: '10.0.0.1/8' is neither a host name nor"),
        ("PUBLIC_URL", "models.example.com", "^public_url must look like https://models.example.com, not"),
    ],
)
def test_where_notifications_go_and_lead_to_is_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, message: str
) -> None:
    monkeypatch.setenv(f"MOORAGE_{name}", value)
    with pytest.raises(SettingsError, match=message):
        load_settings(tmp_path)

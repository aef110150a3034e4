from pathlib import Path

import pytest

from moorage.app.given import SettingsError
from moorage.app.settings import load_settings


@pytest.mark.parametrize(
    ("name", "value", "least", "most"),
    [
        ("port", "65536", 0, 65_535),
        ("gateway_workers", "0", 1, 64),
        ("instance_concurrency", "0", 1, 10_000),
        ("access_log_successes_per_s", "-1", 0, 100_000),
        ("access_log_bytes_max", "1000", 1 << 20, 1 << 40),
        ("instances_max", "0", 1, 10_000),
        ("archive_cache_bytes_max", "-1", 0, 1 << 50),
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
    with pytest.raises(SettingsError, match=r"^prices_file /nowhere/prices.toml cannot be read: No such file"):
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
        ("NOTIFICATION_HOSTS", "hooks.internal other", "^notification_hosts: 'hooks.internal other' is neither"),
        ("PUBLIC_URL", "models.example.com", "^public_url must look like https://models.example.com, not"),
    ],
)
def test_where_notifications_go_and_lead_to_is_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, message: str
) -> None:
    monkeypatch.setenv(f"MOORAGE_{name}", value)
    with pytest.raises(SettingsError, match=message):
        load_settings(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("prot = 7071", "There is no setting prot (FILE): is port meant?"),
        ("colour = 'red'", "There is no setting colour (FILE)"),
        ("data_dir = '/srv'", "There is no setting data_dir (FILE)"),
        ("[packages]\nindex = 'x'", "There is no setting packages.index (FILE): is packages.no_index meant?"),
        ("port = 'often'", "port must be a whole number, not 'often' (FILE)"),
        ("log_bytes_max = '4 GiB'", "log_bytes_max must be a whole number, not '4 GiB' (FILE)"),
        ("overcommit_cpu = 'x'", "overcommit_cpu must be a number, not 'x' (FILE)"),
        ("account_id = 123456789012", "account_id must be text in quotes, not 123456789012 (FILE)"),
        ("require_accelerators = 'no'", "require_accelerators must be true or false, not 'no' (FILE)"),
        ("scaling_speed = 'slow'", "scaling_speed must be fast or compatible, not 'slow' (FILE)"),
        ("require_isolation = true", "require_isolation must be available or strict, not True (FILE)"),
        ("packages = 'x'", "packages must be a table, not 'x' (FILE)"),
        ("[packages]\nfind_links = 1", "packages.find_links must be a list of texts in quotes, not 1 (FILE)"),
        ("[external_s3]\nprofile = 1", "external_s3.profile must be text in quotes, not 1 (FILE)"),
        (
            "[external_s3]\nchecksums = 'no'",
            "external_s3.checksums must be when_supported or when_required, not 'no' (FILE)",
        ),
        (
            "[external_s3]\nendpoint_url = 's3'",
            "external_s3.endpoint_url must look like https://s3.example.com, not 's3'",
        ),
        ("host = ''", "host must not be empty: 127.0.0.1 is this machine alone, 0.0.0.0 every network it is in"),
        ("health_interval_s = 0", "health_interval_s must be between 0.1 and 3600, not 0.0"),
    ],
)
def test_what_moorage_toml_says_wrongly_is_named_with_the_rule(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "moorage.toml"
    file.write_text(text)
    with pytest.raises(SettingsError) as caught:
        load_settings(tmp_path)
    assert message.replace("FILE", str(file)) == str(caught.value)


def test_a_variable_of_the_wrong_type_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOORAGE_PORT", "tcp://10.0.0.1:7070")
    with pytest.raises(SettingsError) as caught:
        load_settings(tmp_path)
    assert "port must be a whole number, not 'tcp://10.0.0.1:7070' (MOORAGE_PORT)" == str(caught.value)


def test_variables_that_are_no_settings_are_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MOORAGE_BATCHING", "MOORAGE_SERVICE_HOST", "MOORAGE_DATA_DIR", "MOORAGE_RUN_DIR"):
        monkeypatch.setenv(name, "on")
    assert tmp_path == load_settings(tmp_path).data_dir


def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "moorage.toml").mkdir()
    with pytest.raises(SettingsError) as caught:
        load_settings(tmp_path)
    assert f"Cannot read {tmp_path}/moorage.toml: Is a directory" == str(caught.value)


def test_a_price_file_is_looked_for_beside_moorage_toml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "prices.toml").write_text('currency = "EUR"\n[per_hour]\n"ml.m5.large" = 0.1\n')
    (tmp_path / "moorage.toml").write_text('prices_file = "prices.toml"\n')
    monkeypatch.chdir("/")
    assert str(tmp_path / "prices.toml") == load_settings(tmp_path).prices_file

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

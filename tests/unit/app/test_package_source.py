"""What uv is told, and where that comes from."""

from __future__ import annotations

from pathlib import Path

import pytest

from moorage.app.package_source import find_package_source
from moorage.app.settings import dump, load_settings, restore
from moorage.runners.process.environments.source import PackageSource

CACHE = Path("/data/environments/.cache")
NO_FILES = {"PIP_CONFIG_FILE": "/dev/null"}


def test_uv_gets_its_words_for_all_that_is_said():
    source = PackageSource(
        index_url="https://a.example/simple",
        extra_index_urls=("https://b.example", "https://c.example"),
        find_links=("/wheels", "/more"),
        ca_bundle="/etc/ca.pem",
        variables={"HTTPS_PROXY": "http://proxy.example", "UV_CACHE_DIR": "/home/me/.cache/uv"},
    )

    found = source.uv_variables(CACHE)

    assert "https://a.example/simple" == found["UV_DEFAULT_INDEX"]
    assert "https://b.example https://c.example" == found["UV_INDEX"]
    assert "unsafe-best-match" == found["UV_INDEX_STRATEGY"]
    assert "/wheels,/more" == found["UV_FIND_LINKS"]
    assert "/etc/ca.pem" == found["SSL_CERT_FILE"]
    assert "http://proxy.example" == found["HTTPS_PROXY"]
    assert "/home/me/.cache/uv" == found["UV_CACHE_DIR"]
    assert "never" == found["UV_PYTHON_DOWNLOADS"]


def test_nothing_said_is_nothing_passed_on_and_the_cache_is_our_own():
    found = PackageSource().uv_variables(CACHE)

    assert str(CACHE) == found["UV_CACHE_DIR"]
    assert not {"UV_DEFAULT_INDEX", "UV_INDEX", "UV_FIND_LINKS", "UV_INDEX_STRATEGY"} & set(found)


def test_no_credential_is_shown_by_accident():
    secret = "https://me:secret@x.example"
    shown = repr(PackageSource(secret, (secret,), (secret,), variables={"UV_INDEX": secret}))
    assert "secret" not in shown


@pytest.mark.parametrize(
    ("source", "may"),
    [
        (PackageSource(), True),
        (PackageSource(extra_index_urls=("https://b.example",), find_links=("/wheels",)), True),
        (PackageSource(index_url="https://mirror.example"), False),
        (PackageSource(no_index=True), False),
        (PackageSource(variables={"UV_TORCH_BACKEND": "cu128"}), False),
        (PackageSource(variables={"UV_DEFAULT_INDEX": "https://mirror.example"}), False),
    ],
)
def test_pytorchs_own_index_is_added_only_where_nobody_has_chosen(source, may):
    assert may is source.may_add_torch_index


def test_pips_variables_count_where_uv_was_told_nothing():
    found = find_package_source(
        {
            **NO_FILES,
            "PIP_INDEX_URL": "https://a.example/simple",
            "PIP_EXTRA_INDEX_URL": "https://b.example https://c.example",
            "PIP_FIND_LINKS": "/wheels /more",
            "PIP_CERT": "/etc/ca.pem",
            "PIP_NO_INDEX": "1",
        }
    )

    assert {
        "index_url": "https://a.example/simple",
        "extra_index_urls": ["https://b.example", "https://c.example"],
        "find_links": ["/wheels", "/more"],
        "ca_bundle": "/etc/ca.pem",
        "no_index": True,
    } == found


def test_uvs_variables_win_over_pips():
    ours = {"UV_DEFAULT_INDEX": "https://u.example", "UV_FIND_LINKS": "/uv", "SSL_CERT_FILE": "/uv.pem"}
    pips = {"PIP_INDEX_URL": "https://a.example", "PIP_FIND_LINKS": "/pip", "PIP_CERT": "/pip.pem"}

    assert {"variables": ours} == find_package_source({**NO_FILES, **ours, **pips})


def test_pips_files_are_read_in_its_order(tmp_path):
    (tmp_path / ".pip").mkdir()
    (tmp_path / ".pip" / "pip.conf").write_text("[global]\nindex-url = https://old.example\nfind-links = /old\n")
    (tmp_path / ".config" / "pip").mkdir(parents=True)
    (tmp_path / ".config" / "pip" / "pip.conf").write_text("[install]\nindex-url = https://new.example\n")

    found = find_package_source({"HOME": str(tmp_path), "XDG_CONFIG_DIRS": str(tmp_path)})

    assert "https://new.example" == found["index_url"]
    assert ["/old"] == found["find_links"]


def test_a_file_that_pip_could_not_read_is_passed_over(tmp_path):
    (tmp_path / "pip.conf").write_text("index-url = without a section")
    places = {"HOME": str(tmp_path), "XDG_CONFIG_DIRS": str(tmp_path), "PIP_CONFIG_FILE": str(tmp_path / "pip.conf")}

    found = find_package_source({**places, "PIP_INDEX_URL": "https://a.example"})

    assert "https://a.example" == found["index_url"]


def test_moorages_own_settings_win_and_survive_the_way_to_a_child(tmp_path, monkeypatch):
    for name in ("PIP_INDEX_URL", "PIP_FIND_LINKS"):
        monkeypatch.setenv(name, "https://pip.example")
    monkeypatch.setenv("UV_HTTP_TIMEOUT", "7")
    (tmp_path / "moorage.toml").write_text(
        '[packages]\nindex_url = "https://toml.example"\npythons = ["/opt/python3.10"]\n'
    )

    settings = load_settings(tmp_path)

    assert "https://toml.example" == settings.packages.index_url
    assert ("/opt/python3.10",) == settings.packages.pythons
    assert "7" == settings.packages.variables["UV_HTTP_TIMEOUT"]
    assert settings == restore(dump(settings))

"""`moorage environments`, and what `moorage doctor` says of frameworks, on a data directory of their own."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from moorage.app.settings import Settings, load_settings
from moorage.cli.doctor.frameworks import check_frameworks
from moorage.cli.main import main
from moorage.core.model import InstanceState
from moorage.runners.process import folder as folders
from moorage.runners.process.environments.source import PackageSource
from moorage.runners.process.folder import Record
from moorage.testing.builders import make_endpoint, make_variant, specs_of

IMAGE = "moorage/lightgbm:9.9.9"


@pytest.fixture
def data_dir(tmp_path: Path, index: Path, cache: Path, wheels: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "moorage.toml").write_text(
        f'[packages]\nno_index = true\nfind_links = ["{index}", "{wheels}"]\ncache_dir = "{cache}"\n'
    )
    return folder


def moorage(data_dir: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["environments", *arguments, "--data-dir", str(data_dir)])


def found_by(settings: Settings) -> dict[str, str]:
    """What doctor says, by what it is of; on this machine uv may be slow to answer."""
    return {finding.subject: finding.text for finding in check_frameworks(settings, index_timeout_s=90.0)}


def test_building_listing_and_removing(data_dir):
    assert "No environment was built yet: each is when a model first wants it.\n" == moorage(data_dir, "list").output

    built = moorage(data_dir, "build", IMAGE)
    assert 0 == built.exit_code, built.output
    assert f"{IMAGE}: LightGBM 9.9.9 on Python" in built.output
    assert "building the environment" not in moorage(data_dir, "build", IMAGE).output

    title, line = moorage(data_dir, "list").output.splitlines()
    assert ["NAME", "WHAT", "SIZE", "LAST", "WANTED", "IN", "USE"] == title.split()
    name = line.split()[0]
    assert name.startswith("LightGBM-9.9.9-cp3")
    assert line.rstrip().endswith("no")

    removed = moorage(data_dir, "remove", name)
    assert f"Removed {name}\n" == removed.output
    assert "No environment was built yet" in moorage(data_dir, "list").output


def test_what_an_instance_runs_from_is_not_removed(data_dir):
    moorage(data_dir, "build", IMAGE)
    (environment,) = (data_dir / "environments").glob("LightGBM-*")
    (data_dir / "instances").mkdir()
    endpoint = make_endpoint(make_variant())
    (spec,) = specs_of(endpoint, endpoint.target)
    state, now = InstanceState.READY, datetime(2026, 1, 1, tzinfo=UTC)
    record = Record(spec=spec, data=(), state=state, since=now, equipment=(str(environment),))
    folders.create(data_dir / "instances", record, ())

    assert moorage(data_dir, "list").output.splitlines()[1].rstrip().endswith("yes")
    refused = moorage(data_dir, "remove", environment.name)
    assert 1 == refused.exit_code
    assert f"Instances run in {environment.name}" in refused.output
    assert "" == moorage(data_dir, "remove", "--unused").output
    assert environment.is_dir()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("remove", "nothing-like-it"), "There is no environment nothing-like-it."),
        (("remove",), "Which one?"),
        (("build", "not-one-of-ours:1"), "is not a framework image"),
        (("build", "moorage/lightgbm:8.8.8"), "Of lightgbm, 9.9.9 can be had here."),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(data_dir, arguments, said):
    failed = moorage(data_dir, *arguments)
    assert 1 == failed.exit_code
    assert said in failed.output
    assert isinstance(failed.exception, SystemExit)


def test_doctor_says_what_is_installed_what_was_built_and_what_can_be(data_dir):
    moorage(data_dir, "build", IMAGE)

    found = found_by(load_settings(data_dir))

    assert "built: 9.9.9; can be built: 9.9.9" in found["LightGBM"]
    assert "neither installed nor built" in found["TensorFlow"]
    assert "Python 3." in found["Pythons"]


def test_doctor_goes_on_without_an_index_and_makes_no_data_directory(tmp_path):
    nowhere = tmp_path / "not-made-yet"
    settings = replace(load_settings(nowhere), packages=PackageSource(index_url="http://127.0.0.1:9/simple"))

    found = found_by(settings)

    assert "127.0.0.1:9" in found["Package index"]
    assert "LightGBM" in found
    assert not nowhere.exists()

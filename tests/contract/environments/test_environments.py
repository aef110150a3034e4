"""Environments built by the real uv, from a folder of wheels that the tests make: no index is needed."""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

import moorage
from moorage.runners.process import images
from moorage.runners.process.environments.child import helper
from moorage.runners.process.environments.environments import (
    EnvironmentImpossible,
    Environments,
    EnvironmentUnavailable,
    Equipped,
)
from moorage.runners.process.environments.source import PackageSource
from moorage.runners.process.environments.uv import Say
from moorage.system.clock import SystemClock
from moorage.testing.agent import is_alive
from moorage.testing.wheels import make_wheel

IMAGE = images.resolve("moorage/lightgbm:9.9.9")


class HastyClock(SystemClock):
    """Real, but for waiting."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


@pytest.fixture
def make(tmp_path: Path, index: Path, cache: Path, wheels: Path) -> Callable[..., Environments]:
    """Environments below `tmp_path/environments`, as an agent has them; `changes` are of their source."""

    def make(**changes) -> Environments:
        root = tmp_path / "environments"
        root.mkdir(exist_ok=True)
        told = {"find_links": (str(index), str(wheels)), "no_index": True, "variables": {"UV_HTTP_RETRIES": "0"}}
        source = PackageSource(cache_dir=str(cache), **{**told, **changes})
        return Environments(root, source, HastyClock(), bytes_max=1 << 40, in_use=set)

    return make


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def code(tmp_path: Path) -> Path:
    folder = tmp_path / "code"
    folder.mkdir()
    return folder


@pytest.fixture
def gate(tmp_path: Path, wheels: Path) -> Path:
    """While this file is there, no environment is finished: LightGBM waits for it to go when it is imported."""
    path = tmp_path / "gate"
    path.touch()
    slow = f"import os, time\nwhile os.path.exists({str(path)!r}): time.sleep(0.01)\n"
    make_wheel(wheels, "lightgbm", "9.9.9", {"lightgbm.py": slow})
    return path


async def hears(heard: list[str], beginning: str) -> None:
    """Return when somebody has been told a line that begins so."""
    async with asyncio.timeout(90):
        while not any(line.startswith(beginning) for line in heard):
            await asyncio.sleep(0.01)


def built(tmp_path: Path) -> list[str]:
    """The folders of environments, whole or not."""
    others = ("runtime-", ".cache", "overlays")
    return sorted(path.name for path in (tmp_path / "environments").iterdir() if not path.name.startswith(others))


def run(python: Path, *arguments: str) -> str:
    done = subprocess.run([python, "-I", *arguments], capture_output=True, text=True, check=True, env={})
    return done.stdout.strip()


async def ask(environments: Environments, code: Path, requirements: str, say: Say = print) -> Equipped:
    """What a model with this requirements.txt gets."""
    (code / "requirements.txt").write_text(requirements)
    environment = await environments.ensure(IMAGE, say)
    return await environments.equip(environment, IMAGE, code / "requirements.txt", say)


def imported(equipped: Equipped, module: str) -> str:
    """The file that a module comes from in an instance."""
    paths = [str(path) for path in equipped.overlays]
    return run(
        equipped.environment.python,
        "-c",
        f"import sys; sys.path[:0] = {paths}; import {module} as m; print(m.__file__)",
    )


# -- environments -----------------------------------------------------------------------------------------------------


async def test_an_environment_has_what_the_image_asks_for_and_says_how_it_was_built(make, said, tmp_path):
    environment = await make().ensure(IMAGE, said.append)

    assert "9.9.9" == run(environment.python, "-c", "import lightgbm; print(lightgbm.__version__)")
    assert f"LightGBM 9.9.9 on Python {platform.python_version()}" == environment.title
    assert "building the environment LightGBM 9.9.9" == said[0]
    assert any(line.startswith("installed ") for line in said)
    assert said[-1].startswith("built the environment LightGBM 9.9.9 in ")
    assert [environment.folder.name] == built(tmp_path)


async def test_it_imports_moorages_runtime_from_a_copy_that_has_nothing_else_of_moorage(make, said):
    environment = await make().ensure(IMAGE, said.append)

    code = "import sys; sys.path.insert(0, sys.argv[1]); import moorage.runtime.nursery as it; print(it.__file__)"
    found = run(environment.python, "-c", code, str(environment.runtime))

    assert Path(found).is_relative_to(environment.runtime)
    assert {"__init__.py", "runtime", "wire"} == {
        path.name for path in (environment.runtime / "moorage").iterdir() if path.name != "__pycache__"
    }


async def test_instances_of_any_user_can_read_it(make, said, code, wheels):
    make_wheel(wheels, "addition", "1.0")
    before = os.umask(0o077)
    try:
        equipped = await ask(make(), code, "addition")
    finally:
        os.umask(before)

    for place in (equipped.environment.folder, equipped.environment.runtime, *equipped.overlays):
        closed = [path for path in (place, *place.rglob("[!.]*")) if not _is_open_to_all(path)]
        assert {"requirements.txt", "constraints.txt", "environment.json"} >= {path.name for path in closed}


def _is_open_to_all(path: Path) -> bool:
    wanted = 0o055 if path.is_dir() else 0o044
    return path.is_symlink() or path.stat().st_mode & wanted == wanted


async def test_it_is_built_once_for_all_who_want_it_at_once_and_each_hears_of_it(make, gate):
    environments, heard = make(), [[], []]
    wanting = [asyncio.create_task(environments.ensure(IMAGE, each.append)) for each in heard]
    for each in heard:
        await hears(each, "trying")
    gate.unlink()

    first, second = [await each for each in wanting]
    assert first == second
    assert heard[0] == heard[1]
    assert 1 == sum(line.startswith("building") for line in heard[0])


async def test_who_gives_up_waiting_does_not_stop_it_for_the_others(make, gate):
    environments, heard = make(), [[], []]
    first, second = [asyncio.create_task(environments.ensure(IMAGE, each.append)) for each in heard]
    for each in heard:
        await hears(each, "trying")
    first.cancel()
    await asyncio.wait([first])
    gate.unlink()

    assert (await second).folder.is_dir()
    assert 1 == sum(line.startswith("building") for line in heard[1])


async def test_who_looked_just_before_it_was_there_does_not_build_it_again(make, said, monkeypatch):
    environments = make()
    first = await environments.ensure(IMAGE, print)
    find, looks = environments._find, iter([False])

    async def found(*wanted):
        return await find(*wanted) if next(looks, True) else None

    monkeypatch.setattr(environments, "_find", found)

    assert first == await environments.ensure(IMAGE, said.append)
    assert [] == said


async def test_what_was_built_needs_no_index_again_nor_uv(make, said, wheels, monkeypatch):
    environment = await make().ensure(IMAGE, print)
    shutil.rmtree(wheels)

    assert environment == await make().ensure(IMAGE, said.append)
    assert [] == said


async def test_another_runtime_is_copied_and_nothing_is_rebuilt(make, said, monkeypatch, tmp_path):
    before = await make().ensure(IMAGE, print)
    upgraded = tmp_path / "upgraded" / "moorage"
    shutil.copytree(Path(moorage.__file__).parent, upgraded, ignore=shutil.ignore_patterns("__pycache__"))
    (upgraded / "__init__.py").write_text("__version__ = '99'\n")
    monkeypatch.setattr(moorage, "__file__", str(upgraded / "__init__.py"))

    after = await make().ensure(IMAGE, said.append)

    assert [] == said
    assert before.folder == after.folder
    assert before.runtime != after.runtime
    assert before.runtime.is_dir()


async def test_what_no_interpreter_has_a_wheel_for_is_refused_with_what_there_is(make, said, tmp_path):
    with pytest.raises(EnvironmentImpossible) as refused:
        await make().ensure(images.resolve("moorage/lightgbm:8.8.8"), said.append)

    assert "LightGBM 8.8.8 cannot be installed on this machine" in str(refused.value)
    assert "there is no version of lightgbm==8.8.8" in str(refused.value)
    assert "Of lightgbm, 9.9.9 can be had here." in str(refused.value)
    assert [] == built(tmp_path)


async def test_what_cannot_be_imported_is_no_environment(make, wheels, tmp_path):
    make_wheel(wheels, "lightgbm", "9.9.9", {"lightgbm.py": "import a_library_that_is_not_there\n"})

    with pytest.raises(EnvironmentImpossible, match="No module named 'a_library_that_is_not_there'"):
        await make().ensure(IMAGE, print)
    assert [] == built(tmp_path)


async def test_an_index_that_is_away_is_asked_again_and_then_it_is_nobodys_fault(make, said, tmp_path):
    environments = make(index_url="http://name:secret@127.0.0.1:9/simple", no_index=False)

    with pytest.raises(EnvironmentUnavailable, match=r"127\.0\.0\.1:9"):
        await environments.ensure(IMAGE, said.append)

    assert 2 == sum(line.startswith("trying again in") for line in said)
    assert "secret" not in "".join(said)
    assert [] == built(tmp_path)


async def test_a_build_that_is_given_up_leaves_nothing(make, gate, tmp_path):
    environments, heard = make(), []
    waiting = asyncio.create_task(environments.ensure(IMAGE, heard.append))
    await hears(heard, "trying")
    await environments.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting

    assert [] == built(tmp_path)


async def test_one_that_a_killed_process_was_building_is_swept_and_built_again(make, gate, wheels, tmp_path, index):
    (tmp_path / "environments").mkdir()
    builder = subprocess.Popen(
        [sys.executable, "-c", BUILDER, str(tmp_path / "environments"), str(index), str(wheels)],
        stdout=subprocess.PIPE,
        text=True,
    )
    with builder:
        assert builder.stdout is not None
        assert any(line.startswith("trying") for line in iter(builder.stdout.readline, ""))
        builder.kill()
    (left,) = built(tmp_path)
    assert left.startswith(".new-")
    gate.unlink()

    environments = make()
    environments.sweep()
    assert [] == built(tmp_path)
    assert (await environments.ensure(IMAGE, print)).folder.is_dir()


BUILDER = """
import asyncio, sys
from pathlib import Path
from moorage.runners.process import images
from moorage.runners.process.environments.environments import Environments
from moorage.runners.process.environments.source import PackageSource
from moorage.system.clock import SystemClock
root, *links = sys.argv[1:]
source = PackageSource(find_links=tuple(links), no_index=True)
environments = Environments(Path(root), source, SystemClock(), bytes_max=1 << 40, in_use=set)
say = lambda line: print(line, flush=True)
asyncio.run(environments.ensure(images.resolve("moorage/lightgbm:9.9.9"), say))
"""


async def test_helpers_end_with_the_process_that_started_them(tmp_path):
    """SIGKILL of the agent must not leave a uv that writes where the next agent sweeps."""
    started = tmp_path / "started"
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(started)])
    async with asyncio.timeout(90):
        while not (started.exists() and started.read_text()):
            await asyncio.sleep(0.01)
        parent.kill()
        parent.wait()
        while is_alive(int(started.read_text())):
            await asyncio.sleep(0.01)


PARENT = """
import subprocess, sys
from moorage.runners.process.environments.child import helper
child = "import os, sys, time; open(sys.argv[1], 'w').write(str(os.getpid())); time.sleep(600)"
subprocess.run(helper(sys.executable, "-c", child, sys.argv[1]))
"""


async def test_a_helper_whose_parent_was_gone_before_it_began_does_not_begin(tmp_path):
    """The parent that the command line names is another than the one that runs it."""
    command = list(helper(sys.executable, "-c", "import sys; open(sys.argv[1], 'w')", str(tmp_path / "started")))
    command[command.index(str(os.getpid()))] = "1"

    assert 1 == subprocess.run(command, check=False).returncode
    assert not (tmp_path / "started").exists()


# -- requirements.txt -------------------------------------------------------------------------------------------------


async def test_an_overlay_has_what_the_environment_lacks_and_leaves_the_rest_to_it(make, said, code, wheels):
    make_wheel(wheels, "addition", "2.0", requires=("joblib", "other"))
    make_wheel(wheels, "other", "1.0")

    equipped = await ask(make(), code, "addition>1  # and what it needs\njoblib\n", said.append)

    (overlay,) = equipped.overlays
    assert {"addition.py", "other.py"} == {path.name for path in overlay.glob("*.py")}
    assert str(overlay / "addition.py") == imported(equipped, "addition")
    assert Path(imported(equipped, "joblib")).is_relative_to(equipped.environment.folder)
    assert "installing code/requirements.txt" in said


async def test_an_overlay_is_built_once_for_the_same_contents(make, said, code, wheels):
    make_wheel(wheels, "addition", "1.0")
    first = await ask(make(), code, "addition\n")
    shutil.rmtree(wheels)

    assert first == await ask(make(), code, "# the same, with a comment\naddition", said.append)
    assert [] == said


async def test_a_file_that_does_not_go_with_the_environment_gets_one_of_its_own(make, said, code, wheels, tmp_path):
    make_wheel(wheels, "pandas", "0.9", {"pandas.py": "__version__ = '0.9'\n"})
    environments = make()

    equipped = await ask(environments, code, "pandas<1\n", said.append)

    assert () == equipped.overlays
    assert "LightGBM 9.9.9 with requirements" in equipped.environment.title
    version = run(equipped.environment.python, "-c", "import pandas, lightgbm; print(pandas.__version__)")
    assert "0.9" == version
    assert any("does not go with LightGBM 9.9.9" in line for line in said)
    assert 2 == len(built(tmp_path))
    shutil.rmtree(wheels)
    assert equipped == await ask(environments, code, "pandas<1\n")


async def test_a_wheel_in_the_models_own_folder_is_installed(make, code):
    (code / "wheels").mkdir()
    make_wheel(code / "wheels", "private", "1.0")

    equipped = await ask(make(), code, "./wheels/private-1.0-py3-none-any.whl\n")

    assert str(equipped.overlays[0] / "private.py") == imported(equipped, "private")


@pytest.mark.parametrize(
    ("requirements", "reason"),
    [
        ("nowhere-to-be-found", "nowhere-to-be-found"),
        ("-e .", "nothing can be edited"),
        ("addition==1.0 --hash=sha256:" + "0" * 64, "Hash mismatch"),
    ],
)
async def test_what_cannot_be_installed_is_said(make, code, wheels, requirements, reason):
    make_wheel(wheels, "addition", "1.0")

    with pytest.raises(EnvironmentImpossible, match=reason):
        await ask(make(), code, requirements)


async def test_nothing_is_built_from_source(make, code, wheels, tmp_path):
    """What a setup.py says would be done by the agent, which may do more than the model."""
    proof = tmp_path / "proof"
    source = tmp_path / "evil-1.0"
    source.mkdir()
    (source / "setup.py").write_text(
        f"open({str(proof)!r}, 'w')\nfrom setuptools import setup\nsetup(name='evil', version='1.0')\n"
    )
    with tarfile.open(wheels / "evil-1.0.tar.gz", "w:gz") as archive:
        archive.add(source, "evil-1.0")

    with pytest.raises(EnvironmentImpossible, match="evil"):
        await ask(make(), code, "evil\n")
    assert not proof.exists()

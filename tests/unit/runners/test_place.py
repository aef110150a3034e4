"""Where the processes of an instance live."""

from __future__ import annotations

from pathlib import Path

from moorage.core.model import Container, EndpointKey, InstanceId, InstanceSpec, Variant
from moorage.runners.process.agent import SOCKET_PATH_BYTES_MAX
from moorage.runners.process.folder import InstanceFolder
from moorage.runners.process.place import places_of
from moorage.runners.process.settings import AgentSettings

SETTINGS = AgentSettings(
    run_dir=Path("/run"),
    instances_dir=Path("/instances"),
    models_dir=Path("/models"),
    logs_dir=Path("/logs"),
    environments_dir=Path("/environments"),
)
ID = InstanceId("i-0123456789abcdef0")
FOLDER = InstanceFolder(Path("/instances") / ID)
LOGS = Path("/logs/eu-west-1/iris/AllTraffic")


def spec_of(*names: str) -> InstanceSpec:
    variant = Variant("AllTraffic", "iris", tuple(Container("image", name=name) for name in names), "ml.m5.large", 1)
    return InstanceSpec(ID, EndpointKey("eu-west-1", "iris"), "uid", 1, 0, variant)


def test_a_lone_container_is_the_instance() -> None:
    places = places_of(spec_of("primary"), FOLDER, SETTINGS)
    assert (False, (places.main,)) == (places.has_front, places.containers)
    assert (FOLDER.path, LOGS / f"{ID}.log") == (places.main.folder.path, places.main.log)
    assert "said" == places.main.named("said")


def test_of_several_each_has_a_place_of_its_own_behind_the_front() -> None:
    places = places_of(spec_of("scale", "forest"), FOLDER, SETTINGS)
    everywhere = [places.main, *places.containers]
    assert places.has_front
    assert [FOLDER.path, FOLDER.path / "containers/1", FOLDER.path / "containers/2"] == [
        place.folder.path for place in everywhere
    ]
    assert [LOGS / f"{ID}.log", LOGS / ID / "scale.log", LOGS / ID / "forest.log"] == [
        place.log for place in everywhere
    ]
    assert 3 == len({place.socket for place in everywhere})
    assert ["said", "scale: said", "forest: said"] == [place.named("said") for place in everywhere]


def test_the_longest_socket_path_that_settings_allow_is_one_for_the_kernel() -> None:
    settings_allow = 100 - len("/i/0123456789abcdef0.sock")  # see app.settings.run_dir_for
    names = [f"c{number}" for number in range(15)]
    last = places_of(spec_of(*names), FOLDER, SETTINGS).containers[-1]
    assert settings_allow + len(str(last.socket)) - len(str(SETTINGS.run_dir)) <= SOCKET_PATH_BYTES_MAX

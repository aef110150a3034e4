"""What is decided on machines that give everything, something, or nothing."""

from dataclasses import replace
from pathlib import Path

import pytest

from moorage.runners.process.container_folders import ContainerFolders
from moorage.runners.process.isolation.decide import Confinement, Groups, NotIsolated, Wanted, decide, typical
from moorage.runners.process.isolation.machine import MEANS, Machine, unexamined

USER = 700_005
FOLDERS = ContainerFolders(Path("/data/models/abc"), {"adapters": Path("/data/models/def")}, Path("/data/models/ghi"))
WANTED = Wanted(FOLDERS, work=Path("/data/i/work"), temporary=Path("/data/i/tmp"), hidden=(Path("/data"),), user=USER)
ALL = Machine(dict.fromkeys(MEANS), 7)


def without(*means: str, landlock: int = 7) -> Machine:
    return Machine({name: "not here" if name in means else None for name in MEANS}, landlock)


UNPRIVILEGED = without("user", "view", "user and view", "network")
CONTAINER = without("view", "user and view", "view in a user namespace", "network", "network in a user namespace")


def targets(confinement: Confinement) -> dict[str, tuple[str, bool]]:
    places = confinement.sandbox["view"]["places"]
    return {place["target"]: (place["source"], place["writable"]) for place in places}


def test_root_gives_each_instance_a_user_and_a_view_of_its_own() -> None:
    confinement = decide(ALL, WANTED)
    assert (USER, False) == (confinement.sandbox["user"], confinement.sandbox["user_namespace"])
    assert () == confinement.lacks
    assert 1 == len(confinement.sentences)


def test_files_are_where_an_aws_container_has_them() -> None:
    confinement = decide(ALL, WANTED)
    channel = Path("/opt/ml/additional-model-data-sources/adapters")
    assert ContainerFolders(Path("/opt/ml/model"), {"adapters": channel}, Path("/opt/ml/code")) == confinement.folders
    assert {
        "/opt/ml/model": ("/data/models/abc", False),
        str(channel): ("/data/models/def", False),
        "/opt/ml/code": ("/data/models/ghi", False),
        "/data/i/work": ("/data/i/work", True),
        "/tmp": ("/data/i/tmp", True),
        "/var/tmp": ("/data/i/tmp", True),
    } == targets(confinement)
    assert {"/run", "/data"} == set(confinement.sandbox["view"]["hidden"])


def test_what_else_is_to_be_seen_is_seen_read_only() -> None:
    wanted = Wanted(FOLDERS, Path("/w"), Path("/t"), seen={Path("/opt/ml/models"): Path("/data/i/models")})
    assert ("/data/i/models", False) == targets(decide(ALL, wanted))["/opt/ml/models"]


def test_without_rights_a_user_namespace_gives_the_same_view() -> None:
    confinement = decide(UNPRIVILEGED, WANTED)
    assert (None, True) == (confinement.sandbox["user"], confinement.sandbox["user_namespace"])
    assert targets(decide(ALL, WANTED)) == targets(confinement)
    assert None is confinement.sandbox["processes_max"], "the limit would count what the user runs besides"
    assert () == confinement.lacks, "Landlock 6 keeps processes of one user apart"


def test_without_landlock_a_shared_user_is_a_lack() -> None:
    lacks = decide(Machine(UNPRIVILEGED.failures, 5), WANTED).lacks
    assert ["a user of its own (not here)"] == list(lacks)


def test_in_a_container_without_rights_landlock_says_what_a_user_of_its_own_can_read() -> None:
    confinement = decide(CONTAINER, replace(WANTED, groups=(765_536,)))
    assert "view" not in confinement.sandbox
    assert (USER, [765_536]) == (confinement.sandbox["user"], confinement.sandbox["groups"])
    assert FOLDERS == confinement.folders
    readable = set(confinement.sandbox["readable"])
    assert {"/data/models/abc", "/data/models/def", "/data/models/ghi", "/usr"} <= readable
    assert not {"/", "/data", "/root", "/home", "/tmp", "/run"} & readable
    assert {"/data/i/work", "/data/i/tmp"} <= set(confinement.sandbox["writable"])
    assert 1 == len(confinement.lacks)


def test_without_a_view_and_landlock_no_user_would_be_kept_from_others_files() -> None:
    confinement = decide(Machine(CONTAINER.failures, 0), WANTED)
    assert None is confinement.sandbox["user"]
    assert 3 == len(confinement.lacks)
    assert "a user of its own (the kernel does not offer Landlock)" == confinement.lacks[0]


def test_what_keeps_a_process_from_a_user_that_the_machine_would_give_is_said() -> None:
    closed = replace(WANTED, user=None, why_no_user="only the agent's user can get to /data/models/abc")
    assert f"a user of its own ({closed.why_no_user})" == decide(CONTAINER, closed).lacks[0]
    assert "a user of its own (instance_users is 0)" == typical(CONTAINER, user=None).lacks[0]


def test_groups_are_for_where_there_is_no_view() -> None:
    assert [] == decide(ALL, replace(WANTED, groups=(765_536,))).sandbox["groups"]


def test_a_limit_of_memory_is_a_control_groups_or_each_process_has_it_alone() -> None:
    limited = replace(WANTED, memory_bytes_max=1 << 30)
    grouped = decide(ALL, replace(limited, control_groups=Groups((Path("/sys/fs/cgroup/a"),))))
    assert (["/sys/fs/cgroup/a"], None) == (grouped.sandbox["control_groups"], grouped.sandbox["memory_bytes"])
    assert () == grouped.lacks
    alone = decide(ALL, replace(limited, control_groups=Groups(no_limit="Read-only file system")))
    assert ([], 1 << 30) == (alone.sandbox["control_groups"], alone.sandbox["memory_bytes"])
    assert ("a limit of memory but for each process alone (Read-only file system)",) == alone.lacks


def test_where_nothing_marks_what_an_instance_leaves_behind_that_is_said() -> None:
    lacks = decide(UNPRIVILEGED, replace(WANTED, control_groups=Groups(no_end="Permission denied"))).lacks
    assert ("an end of processes that leave its session (Permission denied)",) == lacks


def test_a_machine_that_gives_nothing_is_said_to() -> None:
    confinement = decide(unexamined("nobody looked"), WANTED)
    assert ["the agent's user", "the host's network"] == list(confinement.gives)
    assert 4 == len(confinement.lacks)
    assert all("nobody looked" in lack or "does not offer" in lack for lack in confinement.lacks), (
        "each with its reason"
    )


@pytest.mark.parametrize(
    ("machine", "network", "lacks"),
    [
        (ALL, "namespace", 0),
        (UNPRIVILEGED, "namespace", 0),
        (CONTAINER, "unix sockets", 1),
        (without("network"), "unix sockets", 0),
        (without("network", landlock=5), "unix sockets", 1),
    ],
)
def test_the_network_is_kept_away_by_what_there_is(machine, network, lacks) -> None:
    wanted = Wanted(FOLDERS, Path("/w"), Path("/t"), user=USER, is_without_network=True)
    confinement = decide(machine, wanted)
    assert network == confinement.sandbox["network"]
    assert lacks == len(confinement.lacks)


def test_if_nothing_keeps_the_network_away_the_launch_fails() -> None:
    machine = without(*MEANS)
    assert "shared" == decide(machine, WANTED).sandbox["network"]
    with pytest.raises(NotIsolated, match=r"^EnableNetworkIsolation cannot be had on this machine: .*not here"):
        decide(machine, Wanted(FOLDERS, Path("/w"), Path("/t"), is_without_network=True))

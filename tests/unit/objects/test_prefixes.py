"""Keys below a prefix as paths in a folder, and those that cannot be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.objects.model_sources import FoundObject, Unreadable
from moorage.objects.model_urls import ObjectLocation
from moorage.objects.prefixes import OBJECTS_MAX, file_name, paths_below


def found(key: str, size: int = 1) -> FoundObject:
    return FoundObject(ObjectLocation("attic", key), "tag", size)


def test_a_path_is_the_key_without_the_prefix() -> None:
    keys = ["m/weights.bin", "m/code/inference.py", "m/m/x"]
    assert ["weights.bin", "code/inference.py", "m/x"] == list(paths_below("m/", [found(key) for key in keys]))
    assert keys == list(paths_below("", [found(key) for key in keys]))


def test_what_the_console_leaves_for_folders_is_left_out() -> None:
    objects = [found("m/", 0), found("m/code/", 0), found("m/code/inference.py")]
    assert ["code/inference.py"] == list(paths_below("m/", objects))


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ([], "there is no object below it"),
        (["m/../x"], r"the key 'm/../x' makes a file or folder whose name is '\.\.'"),
        (["m/./x"], r"name is '\.'"),
        (["m//x"], "name is blank"),
        (["m/ /x"], "name is blank"),
        (["m/x/"], "name is blank"),
        (["m/a\0b"], "name is one with a NUL"),
        (["m/" + "ä" * 128], "name is longer than 255 bytes"),
        (["m/" + "x/" * 32 + "x"], "more than 32 folders deep"),
        (["m/weights", "m/weights/part1"], "the key 'm/weights' makes a file where 'm/weights/part1' makes a folder"),
        (["m/a", "m/a/b/c"], "the key 'm/a' makes a file where"),
    ],
    ids=lambda value: ",".join(value)[:20] if isinstance(value, list) else None,
)
def test_a_key_that_cannot_be_a_path_is_named(keys: list[str], why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        paths_below("m/", [found(key) for key in keys])


def test_too_many_and_too_much() -> None:
    with pytest.raises(Unreadable, match=f"more than {OBJECTS_MAX} objects"):
        paths_below("m/", [found(f"m/{number}") for number in range(OBJECTS_MAX + 1)])
    with pytest.raises(Unreadable, match="more than 1 TiB"):
        paths_below("m/", [found("m/a", 1 << 40), found("m/b", 1)])


def test_a_single_object_has_the_name_of_its_last_part() -> None:
    assert "model.onnx" == file_name(found("a/b/model.onnx"))
    assert "model.onnx" == file_name(found("model.onnx"))
    for key in ("a/", "a/..", "a/ "):
        with pytest.raises(Unreadable):
            file_name(found(key))


@given(st.lists(st.text("ab./ \0", max_size=8), max_size=6))
def test_whatever_the_keys_every_path_stays_in_the_folder_and_none_is_in_the_way_of_another(rests: list[str]) -> None:
    try:
        paths = paths_below("m/", [found(f"m/{rest}") for rest in rests])
    except Unreadable:
        return
    for path in paths:
        parts = path.split("/")
        assert all(part.strip() and part not in (".", "..") and "\0" not in part for part in parts)
        assert not any("/".join(parts[:count]) in paths for count in range(1, len(parts)))

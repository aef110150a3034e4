"""What a model's requirements.txt may ask for, line by line."""

from __future__ import annotations

from pathlib import Path

import pytest

from moorage.runners.process.environments.requirements_file import (
    BYTES_MAX,
    Requirements,
    RequirementsRefused,
    name_in,
    read_requirements,
)


@pytest.fixture
def code(tmp_path: Path) -> Path:
    folder = tmp_path / "code"
    folder.mkdir()
    (tmp_path / "secret.txt").write_text("hush")
    (tmp_path / "outside-1.0-py3-none-any.whl").touch()
    return folder


def read(code: Path, text: str, **others: str) -> Requirements:
    (code / "requirements.txt").write_text(text)
    for name, content in others.items():
        (code / f"{name}.txt").write_text(content)
    return read_requirements(code / "requirements.txt")


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", ()),
        ("# a comment\n\n  \n", ()),
        ("requests\npandas>=2  # why\n", ("requests", "pandas>=2")),
        ("six==1.16.0 \\\n  --hash=sha256:abc\n", ("six==1.16.0    --hash=sha256:abc",)),
        ("torch; python_version < '3.12'", ("torch; python_version < '3.12'",)),
        (
            "--index-url https://packages.example/simple\nprivate",
            ("--index-url https://packages.example/simple", "private"),
        ),
        ("-f https://packages.example/wheels", ("-f https://packages.example/wheels",)),
        (
            "thing @ https://x.example/thing-1.0-py3-none-any.whl",
            ("thing @ https://x.example/thing-1.0-py3-none-any.whl",),
        ),
        ("--pre\nthing", ("--pre", "thing")),
        ("thing[a, b] ~=1.0, !=1.3", ("thing[a, b] ~=1.0, !=1.3",)),
        ("a.b_c-d (>=1) ; python_version > '3'\nx===1\ny<2", ("a.b_c-d (>=1) ; python_version > '3'", "x===1", "y<2")),
        ("--prefer-binary\n--trusted-host x.example\nthing", ("thing",)),
    ],
)
def test_lines_that_are_passed_on(code, text, lines):
    assert lines == read(code, text).lines


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("-e .", "nothing can be edited"),
        ("--editable=./thing", "nothing can be edited"),
        ("git+https://x.example/thing.git", "from repositories"),
        ("thing @ git+ssh://x.example/thing", "from repositories"),
        ("thing @ file:///etc/thing-1.0-py3-none-any.whl", "from repositories or files"),
        ("https://x.example/thing-1.0.tar.gz", "only wheels"),
        ("thing@file:///etc", "from repositories or files"),
        ("thing@/etc", "from repositories or files"),
        ("./thing", "no such file"),
        ("thing/", "no such file"),
        ("../outside-1.0-py3-none-any.whl", "leads out of the folder"),
        ("/etc/passwd", "leads out of the folder"),
        ("-r ../secret.txt", "leads out of the folder"),
        ("-c /etc/passwd", "leads out of the folder"),
        ("-r absent.txt", "no such file"),
        ("--index-url ${UV_DEFAULT_INDEX}", "variables are not expanded"),
        ("--index-url file:///srv/packages", "by its URL"),
        ("--find-links /srv/packages", "by its URL"),
        ("--no-binary :all:", "--no-binary is not known"),
        ("thing --hash=sha256:abc", "name it by =="),
        ("num py == 1", "a package is required like name, name==1.2"),
        ("thing = 1.0", "a package is required like"),
        ("thing=1.0", "a package is required like"),
        ("pip install thing", "a package is required like"),
        ("<<<<<<< HEAD", "a package is required like"),
        ("import numpy", "a package is required like"),
    ],
)
def test_lines_that_are_refused_are_named_with_the_rule(code, line, why):
    with pytest.raises(RequirementsRefused, match=why) as refused:
        read(code, line)
    assert repr(line) in str(refused.value)


def test_included_files_are_read_and_constraints_kept_apart(code):
    found = read(code, "-r more.txt\n-c limits.txt\nlast", more="first\n", limits="first<2\n")

    assert ("first", "last") == found.lines
    assert ("first<2",) == found.constraints


def test_files_that_include_each_other_end(code):
    with pytest.raises(RequirementsRefused, match="files deep"):
        read(code, "-r requirements.txt")


def test_a_link_out_of_the_folder_is_not_followed(code):
    (code / "requirements.txt").symlink_to("../secret.txt")
    with pytest.raises(RequirementsRefused, match="leads out"):
        read_requirements(code / "requirements.txt")


@pytest.mark.parametrize(("data", "why"), [(b"\xff\xfe", "not UTF-8"), (b"#" * (BYTES_MAX + 1), "larger than")])
def test_what_is_no_text_of_reasonable_size_is_refused(code, data, why):
    (code / "requirements.txt").write_bytes(data)
    with pytest.raises(RequirementsRefused, match=why):
        read_requirements(code / "requirements.txt")


def test_a_wheel_of_the_folder_is_passed_by_its_whole_path(code):
    wheel = code / "thing-1.0-py3-none-any.whl"
    wheel.write_bytes(b"contents")

    found = read(code, "./thing-1.0-py3-none-any.whl ; python_version > '3'")

    assert (f"{wheel} ; python_version > '3'",) == found.lines
    assert {"thing"} == found.names


def test_equal_contents_have_one_digest_wherever_they_are(code, tmp_path):
    other = tmp_path / "elsewhere"
    other.mkdir()
    for folder in (code, other):
        (folder / "thing-1.0-py3-none-any.whl").write_bytes(b"contents")
    text = "./thing-1.0-py3-none-any.whl\nrequests\n"

    assert read(code, text).digest == read(other, f"# in another folder\n{text}").digest
    (other / "thing-1.0-py3-none-any.whl").write_bytes(b"others")
    assert read(code, text).digest != read(other, text).digest


def test_constraints_count_in_the_digest_as_what_they_are(code):
    as_constraint = read(code, "-c more.txt", more="thing<2")
    assert as_constraint.digest != read(code, "-r more.txt", more="thing<2").digest


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("Scikit_Learn>=1", "scikit-learn"),
        ("torch", "torch"),
        ("https://me@x.example/my_thing-1.0-py3-none-any.whl", "my-thing"),
        ("thing[extra]==1", "thing"),
        ("/srv/my_thing-1.0-py3-none-any.whl", "my-thing"),
        ("https://x.example/my_thing-1.0-py3-none-any.whl", "my-thing"),
        ("thing @ https://x.example/thing-1.0-py3-none-any.whl", "thing"),
        ("--index-url https://x.example", ""),
    ],
)
def test_the_package_of_a_line(line, name):
    assert name == name_in(line)

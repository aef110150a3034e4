"""Rules of this repository that no linter says."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from documents import ROOT

LINES_MAX = 400
FUNCTION_LINES_MAX = 60
GENERATED = ROOT / "src" / "moorage" / "aws" / "types"
FOLDERS = ("src", "tests", "bench", "examples", "docs", "tools", ".ci")
SUFFIXES = {".py", ".sh", ".md", ".toml", ".lock", ""}

# Each pattern is written so that it does not match itself.
UNWANTED = {
    "a path of somebody's machine": re.compile(r"(?<![\w.])/(?:root|work|home/\w+)[/]\w"),
    "the host of a package registry": re.compile(
        r"py[p]i\.org|python[h]osted\.org|--(?:extra-)?index[-]url[= ]+https?://(?![\w.@:-]+\.example\b)"
    ),
    "work put off": re.compile(r"\b(?:TO[D]O|FIX[M]E|X[X]X)\b"),
    "a patched part of ours in place of a fake": re.compile(r"(?:patch|setattr)[(]\s*[\"']moorage\."),
}


def files() -> Iterator[Path]:
    """Everything that is written by hand."""
    top = [path for path in ROOT.iterdir() if path.is_file() and not path.name.startswith(".")]
    below = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.is_file()]
    for path in sorted([*top, *below]):
        if path.suffix in SUFFIXES and GENERATED not in path.parents and "__pycache__" not in path.parts:
            yield path


def modules() -> list[Path]:
    return [path for path in files() if path.suffix == ".py" and ROOT / "src" in path.parents]


@pytest.mark.parametrize("what", UNWANTED)
def test_no_file_has(what: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in files()
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if UNWANTED[what].search(line)
    ]

    assert [] == found


def test_a_module_can_be_read_in_one_go() -> None:
    sizes = {path: len(path.read_text().splitlines()) for path in modules()}

    assert {} == {str(path.relative_to(ROOT)): lines for path, lines in sizes.items() if lines > LINES_MAX}


def test_a_function_fits_on_a_screen() -> None:
    long = {
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}": lines
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES_MAX
    }

    assert {} == long


def test_test_files_have_names_of_their_own() -> None:
    """Test folders are no packages, so that two files of one name would shadow each other."""
    names = Counter(path.name for path in files() if ROOT / "tests" in path.parents and path.suffix == ".py")

    assert [] == [name for name, count in names.items() if count > 1 and name != "conftest.py"]

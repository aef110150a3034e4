"""What the documents say is true: their examples run, their links lead somewhere, their settings exist."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from documents import DOCUMENTS, ROOT, anchors, blocks, links, script

from moorage.app import lifecycle
from moorage.app.settings import Settings, load_settings
from moorage.core.iam import aws_managed

EXAMPLES_TIMEOUT_S = 900
OPERATING = ROOT / "docs" / "operating.md"


def has_examples(document: Path) -> bool:
    return any(block.marker == "run" for block in blocks(document))


def named(document: Path) -> str:
    return str(document.relative_to(ROOT))


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_every_example_is_run_or_says_why_not(document: Path) -> None:
    unmarked = [
        block.text
        for block in blocks(document)
        if block.language in {"sh", "bash", "python"} and not re.match(r"run$|file: |shown: ", block.marker)
    ]

    assert [] == unmarked


@pytest.mark.slow
@pytest.mark.parametrize("document", [document for document in DOCUMENTS if has_examples(document)], ids=named)
def test_the_examples_run(document: Path, tmp_path: Path) -> None:
    data_dir = tmp_path / "state"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MOORAGE_"))} | {
        "HOME": str(tmp_path),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "MOORAGE_DATA_DIR": str(data_dir),
        "MOORAGE_PORT": "0",
        "AWS_PAGER": "",
    }
    try:
        done = subprocess.run(
            ["bash", "-c", script(document)],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=EXAMPLES_TIMEOUT_S,
        )
        assert 0 == done.returncode, done.stdout[-2000:] + done.stderr[-2000:]
        assert not lifecycle.status(load_settings(data_dir)).running
    finally:
        lifecycle.stop(load_settings(data_dir))


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_links_within_the_repository_lead_somewhere(document: Path) -> None:
    broken = []
    for target in links(document):
        path, _, anchor = target.partition("#")
        if "://" in path:
            continue
        file = (document.parent / path).resolve() if path else document
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(target)

    assert [] == broken


def test_every_setting_is_described() -> None:
    section = OPERATING.read_text().partition("## Settings")[2].partition("\n## ")[0]
    described = set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE))

    assert {field.name for field in fields(Settings)} - {"data_dir", "run_dir"} == described


def test_the_policies_of_aws_that_users_can_have_are_listed() -> None:
    item = OPERATING.read_text().partition("* **AWS's own policies**")[2].partition("Roles are kept")[0]

    assert sorted(aws_managed.NAMES) == re.findall(r"`(\w+)`", item)


def test_the_coverage_page_lists_what_the_handlers_implement() -> None:
    page = runpy.run_path(str(ROOT / "tools" / "generate_coverage.py"))["generate"]()

    assert page == (ROOT / "docs" / "coverage.md").read_text()

"""Reading the project's documents: their fenced blocks, links and headings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])

_BLOCK = re.compile(
    r"(?:^<!-- (?P<marker>.+?) -->\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
_LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_HEADING = re.compile(r"^#+ (?P<title>.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block. `marker` is the comment right above it: `run`, `file: PATH` or `shown: why it is not run`."""

    language: str
    text: str
    marker: str


def blocks(document: Path) -> list[Block]:
    """The fenced blocks of a document, in order."""
    found = _BLOCK.finditer(document.read_text())
    return [Block(match["language"], match["text"], match["marker"] or "") for match in found]


def links(document: Path) -> Iterator[str]:
    """Targets of the links of a document, code left out."""
    for match in _LINK.finditer(_BLOCK.sub("", document.read_text())):
        yield match["target"]


def anchors(document: Path) -> set[str]:
    """What `#…` may name in a document, by GitHub's rule."""
    titles = (match["title"] for match in _HEADING.finditer(_BLOCK.sub("", document.read_text())))
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def script(document: Path) -> str:
    """The blocks of a document that are to be run, as one shell script."""
    return "set -euo pipefail\n" + "".join(map(_as_shell, blocks(document)))


def _as_shell(block: Block) -> str:
    if block.marker.startswith("file: "):
        path = block.marker.removeprefix("file: ")
        return f"mkdir -p $(dirname {path})\n{_fed_to(f'cat > {path}', block.text)}"
    if block.marker != "run":
        return ""
    return _fed_to("python -", block.text) if block.language == "python" else block.text


def _fed_to(command: str, text: str) -> str:
    return f"{command} << 'END_OF_BLOCK'\n{text}END_OF_BLOCK\n"

"""Draw `docs/endpoint-status.md` from the table of transitions: `python tools/status_picture.py` writes it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from moorage.core.model import EndpointStatus
from moorage.core.status import TRANSITIONS

PAGE: Final = Path(__file__).resolve().parents[1] / "docs" / "endpoint-status.md"

_INTRODUCTION: Final = """\
# The life of an endpoint

Every change of an endpoint's status is a row of `TRANSITIONS` in `moorage.core.status`; this page is drawn from it by
`tools/status_picture.py`, and a test fails when the two differ. A call that has no arrow is refused.
"""


def render() -> str:
    """The whole page."""
    arrows = [f"    {before or '[*]'} --> {after}: {trigger}" for (before, trigger), after in TRANSITIONS.items()]
    arrows.append(f"    {EndpointStatus.DELETING} --> [*]: nothing is left")
    picture = "\n".join(["```mermaid", "stateDiagram-v2", *arrows, "```"])
    rows = [f"| {before or '–'} | {trigger} | {after} |" for (before, trigger), after in TRANSITIONS.items()]
    table = "\n".join(["| From | Event | To |", "| --- | --- | --- |", *rows])
    return f"{_INTRODUCTION}\n{picture}\n\n{table}\n"


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")

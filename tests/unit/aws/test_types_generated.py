"""The typed dicts are what the generator prints from the installed botocore."""

import runpy
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_the_types_are_generated_from_the_installed_botocore() -> None:
    generated = runpy.run_path(str(ROOT / "tools" / "generate_types.py"))["generate"]()
    folder = ROOT / "src" / "moorage" / "aws" / "types"
    committed = {path.name: path.read_text() for path in folder.glob("*.py") if path.name != "__init__.py"}

    assert generated == committed

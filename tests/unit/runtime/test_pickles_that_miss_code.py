"""What is said of a pickle whose classes are not there: where its author has to put them."""

from __future__ import annotations

from pathlib import Path

import pytest

from moorage.runtime.failures import ModelUnusable
from moorage.runtime.frameworks import pickles


def pickled(module: str, name: str) -> bytes:
    """A pickle of `module.name`, which nobody needs to have."""
    return b"\x80\x04c" + f"{module}\n{name}\n".encode() + b"."


def said_of(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    with pytest.raises(ModelUnusable) as caught:
        pickles.load(path)
    return str(caught.value)


def test_a_class_of_the_program_that_made_the_model(tmp_path: Path) -> None:
    said = said_of(tmp_path / "model.pkl", pickled("__main__", "MyScaler"))

    assert said.startswith("model.pkl cannot be loaded: AttributeError: Can't get attribute 'MyScaler' on <module ")
    assert said.endswith("and put the module into code/, beside code/inference.py")


@pytest.mark.parametrize("module", ["my_training", "my_training.steps"])
def test_a_module_that_is_not_there(tmp_path: Path, module: str) -> None:
    assert (
        "model.pkl cannot be loaded: ModuleNotFoundError: No module named 'my_training'"
        "; put my_training into code/, beside code/inference.py, or name its package in code/requirements.txt"
    ) == said_of(tmp_path / "model.pkl", pickled(module, "Scaler"))


def test_a_part_that_an_installed_package_does_not_have_is_not_to_be_put_anywhere(tmp_path: Path) -> None:
    assert "model.pkl cannot be loaded: ModuleNotFoundError: No module named 'json.newer'" == said_of(
        tmp_path / "model.pkl", pickled("json.newer", "Scaler")
    )

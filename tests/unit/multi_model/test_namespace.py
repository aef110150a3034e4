import sys
import textwrap  # noqa: F401 - to be hidden
import threading
from pathlib import Path
from types import ModuleType

import pytest

from moorage.runtime.multi_model.namespace import Namespace


def script(folder: Path, files: dict[str, str]) -> Namespace:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Namespace(folder)


def imported(namespace: Namespace, folder: Path) -> ModuleType:
    with namespace.entered():
        return namespace.import_script(folder / "inference.py")


def test_two_models_have_neighbours_of_the_same_name(tmp_path: Path) -> None:
    scripts = []
    for name in "ab":
        folder = tmp_path / name
        namespace = script(
            folder, {"inference.py": "import helper\nanswer = helper.answer", "helper.py": f"answer = {name!r}"}
        )
        scripts.append(imported(namespace, folder))
    assert ["a", "b"] == [each.answer for each in scripts]
    assert not {"inference", "helper"} & sys.modules.keys()


def test_a_neighbour_may_be_imported_when_it_is_needed(tmp_path: Path) -> None:
    functions = []
    for name in "ab":
        folder = tmp_path / name
        text = "def answer():\n    from helper import word\n    return word()\n"
        helper = "def word():\n    import data\n    return data.word\n"
        namespace = script(folder, {"inference.py": text, "helper.py": helper, "data.py": f"word = {name!r}"})
        functions.append(imported(namespace, folder).answer)
    threads = [threading.Thread(target=function) for function in functions * 10]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ["a", "b"] == [function() for function in functions]
    assert not {"inference", "helper", "data"} & sys.modules.keys()


@pytest.mark.parametrize("regular", [{"steps/__init__.py": ""}, {}], ids=["regular", "namespace"])
def test_packages_and_relative_imports(tmp_path: Path, regular: dict[str, str]) -> None:
    namespace = script(
        tmp_path,
        {
            "inference.py": "from steps.scale import scale\n",
            "steps/scale.py": "from . import factor\ndef scale(x):\n    from .factor import F\n    return x * F\n",
            "steps/factor.py": "F = 3\n",
            **regular,
        },
    )
    assert 6 == imported(namespace, tmp_path).scale(2)
    assert not {name for name in sys.modules if name.startswith("steps")}


def test_a_pickle_finds_the_classes_of_its_script(tmp_path: Path) -> None:
    text = "class Doubler:\n    def __call__(self, x):\n        return 2 * x\n"
    load = "import pickle\ndef model():\n    return pickle.loads(b'ccustom\\nDoubler\\n)R.')\n"
    namespace = script(tmp_path, {"inference.py": load, "custom.py": text})
    with namespace.entered():
        assert 4 == namespace.import_script(tmp_path / "inference.py").model()(2)


def test_everybody_elses_modules_are_the_usual_ones(tmp_path: Path) -> None:
    namespace = script(tmp_path, {"inference.py": "import json, os.path\nfrom json import decoder\n", "json/x.py": ""})
    found = imported(namespace, tmp_path)
    assert sys.modules["json"] is found.json
    assert sys.modules["os"] is found.os


def test_what_fails_leaves_no_trace(tmp_path: Path) -> None:
    namespace = script(tmp_path, {"inference.py": "import helper\nraise ValueError('no')\n", "helper.py": ""})
    finders = list(sys.meta_path)
    with pytest.raises(ValueError, match="no"):
        imported(namespace, tmp_path)
    assert finders == sys.meta_path
    assert not {"inference", "helper"} & sys.modules.keys()


def test_no_bytecode_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    imported(script(tmp_path, {"inference.py": "import helper\n", "helper.py": ""}), tmp_path)
    assert {"inference.py", "helper.py"} == {path.name for path in tmp_path.rglob("*")}


def test_a_script_hides_a_module_of_its_name_only_while_it_is_imported(tmp_path: Path) -> None:
    assert "textwrap" in sys.modules
    usual = sys.modules["textwrap"]
    namespace = script(tmp_path, {"inference.py": "import textwrap\nown = textwrap.own\n", "textwrap.py": "own = 1\n"})
    with namespace.entered():
        sys.modules.pop("textwrap")
        assert 1 == namespace.import_script(tmp_path / "inference.py").own
    assert usual is sys.modules["textwrap"]

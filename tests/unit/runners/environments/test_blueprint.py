"""What is built for an image, and the name that follows from it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from moorage.runners.process import images
from moorage.runners.process.environments import travel
from moorage.runners.process.environments.blueprint import blueprint_of, blueprint_with
from moorage.runners.process.environments.interpreters import Interpreter
from moorage.runners.process.environments.requirements_file import Requirements

PYTHON = Interpreter("/usr/bin/python3.11", (3, 11, 2))
IMAGE = images.resolve("sagemaker-scikit-learn:1.2-1-cpu-py3")
PACKAGES = ("scikit-learn==1.2.1", "numpy==1.26.4", "pandas==3.0.6")


def asked(*lines: str, constraints: tuple[str, ...] = ()) -> Requirements:
    return Requirements(lines, constraints, "0123456789abcdef")


def test_an_image_is_built_with_its_framework_and_what_the_runtime_needs():
    found = blueprint_of(IMAGE)

    assert "scikit-learn 1.2.1" == found.name
    assert "scikit-learn" == found.package
    assert {"scikit-learn==1.2.1", "numpy<2", *travel.REQUIREMENTS} <= set(found.requirements)
    assert "sklearn.ensemble" in found.modules


def test_the_folder_is_called_after_what_is_in_it():
    name = blueprint_of(IMAGE).folder_name(PYTHON)

    assert name.startswith("scikit-learn-1.2.1-cp311-")
    assert name == blueprint_of(IMAGE).folder_name(PYTHON)


@pytest.mark.parametrize(
    "changes",
    [{"requirements": ("scikit-learn==1.2.2",)}, {"constraints": ("numpy<1.26",)}],
    ids=["requirements", "constraints"],
)
def test_another_content_is_another_folder(changes):
    blueprint = blueprint_of(IMAGE)
    assert blueprint.folder_name(PYTHON) != replace(blueprint, **changes).folder_name(PYTHON)


@pytest.mark.parametrize(
    "other", [Interpreter("/usr/bin/python3.11", (3, 11, 3)), Interpreter("/opt/python3.11", (3, 11, 2))]
)
def test_another_interpreter_is_another_folder(other):
    assert blueprint_of(IMAGE).folder_name(PYTHON) != blueprint_of(IMAGE).folder_name(other)


@pytest.mark.parametrize(("line", "package"), [("requests", None), ("scikit-learn==0.1", "scikit-learn")])
def test_what_versions_there_are_matters_only_if_the_file_asks_for_one(line, package):
    assert package == blueprint_with(IMAGE, asked(line), PACKAGES).package


def test_a_requirements_file_wins_over_what_the_image_would_have():
    found = blueprint_with(IMAGE, asked("pandas<2", "requests", constraints=("idna<4",)), PACKAGES)

    assert "pandas" not in found.requirements
    assert {"pandas<2", "requests", "scikit-learn==1.2.1", "numpy<2"} <= set(found.requirements)
    assert ("idna<4",) == found.constraints


def test_it_may_name_another_release_of_the_framework():
    found = blueprint_with(IMAGE, asked("scikit-learn==1.2.2"), PACKAGES)
    assert ["scikit-learn==1.2.2"] == [line for line in found.requirements if line.startswith("scikit-learn")]


def test_an_image_without_a_version_keeps_the_framework_that_it_had():
    image = images.resolve("moorage/scikit-learn")
    found = blueprint_with(image, asked("pandas<2"), ("scikit-learn==1.9.1",))
    assert ["scikit-learn==1.9.1"] == [line for line in found.requirements if line.startswith("scikit-learn")]

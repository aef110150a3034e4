"""The steps of a command."""

import pytest

from moorage.cli.progress import Steps


def test_a_step_says_names_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    with Steps().step("Packing") as step:
        step.text = "Packed models[red] :x:.pkl"
    assert "✓ Packed models[red] :x:.pkl  " in capsys.readouterr().err


def test_a_step_that_fails_is_marked(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="no"), Steps().step("Packing [a]"):
        raise ValueError("no")
    assert "✗ Packing [a]  " in capsys.readouterr().err

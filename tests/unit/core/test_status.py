"""The table of statuses: what SageMaker allows, and the page drawn from it."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from moorage.core.model import EndpointStatus
from moorage.core.status import TRANSITIONS, IllegalTransition, Trigger, follow

S = EndpointStatus
ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("trigger", [Trigger.UPDATE, Trigger.RESIZE])
def test_only_an_endpoint_in_service_can_be_changed(trigger: Trigger) -> None:
    assert {S.IN_SERVICE} == {status for status, on in TRANSITIONS if on is trigger}


def test_an_endpoint_is_deleted_from_service_or_from_failure() -> None:
    assert {S.IN_SERVICE, S.FAILED} == {status for status, on in TRANSITIONS if on is Trigger.DELETE}


def test_a_failed_endpoint_can_only_be_deleted() -> None:
    assert {Trigger.DELETE} == {on for status, on in TRANSITIONS if status is S.FAILED}


def test_every_status_can_be_reached_and_only_deleting_is_the_end() -> None:
    assert set(S) == set(TRANSITIONS.values())
    assert {S.DELETING} == set(S) - {status for status, _ in TRANSITIONS}


def test_what_is_not_in_the_table_is_illegal() -> None:
    with pytest.raises(IllegalTransition, match="DeleteEndpoint in status Creating"):
        follow(S.CREATING, Trigger.DELETE)


def test_the_page_is_drawn_from_the_table() -> None:
    spec = importlib.util.spec_from_file_location("status_picture", ROOT / "tools" / "status_picture.py")
    assert spec is not None
    assert spec.loader is not None
    picture = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(picture)
    assert picture.render() == picture.PAGE.read_text(encoding="utf-8"), "run: python tools/status_picture.py"

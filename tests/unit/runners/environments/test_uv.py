"""What uv says, and what it comes to. The complaints are those of uv 0.13."""

from __future__ import annotations

import pytest

from moorage.runners.process.environments.uv import (
    PackagesRefused,
    PackagesUnavailable,
    failure,
    find_uv,
    without_credentials,
)

NO_SOLUTION = "error: No solution found when resolving dependencies"
UNSATISFIABLE = "we can conclude that your requirements are unsatisfiable."
URL = "http://127.0.0.1:9/simple/flask/"


@pytest.mark.parametrize(
    ("said", "kind", "reason"),
    [
        (
            [
                "Using Python 3.11.7 environment at: e1",
                NO_SOLUTION,
                f"  cause: Because there is no version of thing==99 and you require thing==99, {UNSATISFIABLE}",
            ],
            PackagesRefused,
            "there is no version of thing==99",
        ),
        (
            [NO_SOLUTION, f"  cause: Because you require numpy==2.1 and numpy==1.26.4, {UNSATISFIABLE}"],
            PackagesRefused,
            "you require numpy==2.1 and numpy==1.26.4",
        ),
        (
            [
                "error: Failed to download `six==1.16.0`",
                "  cause: Hash mismatch for `six==1.16.0`",
                "",
                "         Expected:",
                "           sha256:0000",
            ],
            PackagesRefused,
            "Hash mismatch for `six==1.16.0`",
        ),
        (
            [
                "error: Request failed after 3 retries in 9.3s",
                f"  cause: Failed to fetch: {URL}",
                f"  cause: error sending request for url ({URL})",
                "  cause: Connection refused (os error 111)",
            ],
            PackagesUnavailable,
            "Request failed after 3 retries in 9.3s: Connection refused (os error 111)",
        ),
        (
            [f"error: Failed to fetch: {URL}", "  cause: HTTP status server error (503 Service Unavailable)"],
            PackagesUnavailable,
            f"Failed to fetch: {URL}: HTTP status server error (503 Service Unavailable)",
        ),
        (
            [
                NO_SOLUTION,
                f"  cause: Because flask was not found in the cache and you require flask, {UNSATISFIABLE}",
                "",
                "hint: Packages were unavailable because the network was disabled.",
            ],
            PackagesUnavailable,
            "Packages were unavailable because the network was disabled.",
        ),
        (
            [
                NO_SOLUTION,
                f"  cause: Because flask was not found in the package registry and you require flask, {UNSATISFIABLE}",
                f"hint: An index ({URL}) returned a 403 Forbidden error.",
            ],
            PackagesUnavailable,
            f"An index ({URL}) returned a 403 Forbidden error.",
        ),
        (
            ["error: Couldn't parse requirement in `-` at position 0"],
            PackagesRefused,
            "Couldn't parse requirement in `-` at position 0",
        ),
        ([], PackagesRefused, "uv failed"),
    ],
)
def test_a_complaint_comes_to_a_refusal_or_to_another_try(said, kind, reason):
    found = failure(said)
    assert kind is type(found)
    assert reason == str(found)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Failed to fetch: https://name:secret@x.example/simple/", "Failed to fetch: https://x.example/simple/"),
        ("https://token@x.example and http://a:b@y.example", "https://x.example and http://y.example"),
        ("thing @ https://x.example/a@b.whl", "thing @ https://x.example/a@b.whl"),
        ("nothing to hide", "nothing to hide"),
    ],
)
def test_credentials_of_urls_are_not_shown(text, shown):
    assert shown == without_credentials(text)


def test_uv_is_found_where_moorage_is_installed():
    assert find_uv().endswith("/uv")

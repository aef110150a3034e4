"""Names of a deployment: within SageMaker's pattern whatever they are made of, and recognised again."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from moorage.cli.deploy import naming
from moorage.cli.failures import Failure

NOW = datetime(2026, 11, 21, 2, 55, 0, 123_000, tzinfo=UTC)
ENDPOINT_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("forest.pkl", "forest"),
        ("my_model v2.joblib", "my-model-v2"),
        ("iris.tar.gz", "iris"),
        ("iris.tgz", "iris"),
        ("folder", "folder"),
        ("model.v1.pkl", "model-v1"),
    ],
)
def test_an_endpoint_is_named_after_the_file(path: str, name: str) -> None:
    assert name == naming.endpoint_name(Path(path))


def test_a_name_without_a_letter_or_digit_is_refused() -> None:
    with pytest.raises(Failure, match="No endpoint name"):
        naming.endpoint_name(Path("___.pkl"))


@pytest.mark.parametrize("name", ["", "bad name!", "-leading", "trailing-", "under_score", "x" * 64])
def test_a_name_that_sagemaker_would_refuse_is_refused_at_once(name: str) -> None:
    with pytest.raises(Failure, match="cannot name an endpoint"):
        naming.names_for(name, now=NOW)


@given(st.text(min_size=1, max_size=200).filter(lambda text: "/" not in text and "\0" not in text))
def test_every_name_that_is_made_fits_the_pattern(text: str) -> None:
    assume(text not in {".", ".."})
    try:
        name = naming.endpoint_name(Path(text))
    except Failure:
        return
    assert ENDPOINT_NAME.fullmatch(name)


@given(st.from_regex(ENDPOINT_NAME, fullmatch=True))
def test_every_revision_fits_the_pattern_and_begins_with_its_stem(endpoint: str) -> None:
    names = naming.names_for(endpoint, now=NOW)

    assert ENDPOINT_NAME.fullmatch(names.revision)
    assert names.revision == f"{naming.revision_stem(endpoint)}-20261121-025500-123"


def test_only_what_was_made_for_this_endpoint_is_recognised() -> None:
    assert naming.is_tagged_for("iris", naming.tags_for("iris"))
    assert not naming.is_tagged_for("iris", naming.tags_for("iris-2"))
    assert not naming.is_tagged_for("iris", [])

"""How many threads a model may compute with."""

import pytest

from moorage.runtime.failures import ModelUnusable
from moorage.runtime.frameworks.threads import share


@pytest.mark.parametrize(("environment", "expected"), [({}, 1), ({"OMP_NUM_THREADS": "4"}, 4)])
def test_one_unless_the_environment_says_more(environment, expected):
    assert expected == share(environment)


@pytest.mark.parametrize("text", ["", "0", "-1", "two", "1.5", "1025", "²"])
def test_what_is_no_number_of_threads(text):
    with pytest.raises(ModelUnusable, match=r"OMP_NUM_THREADS is .*: it has to be a whole number from 1 to 1024"):
        share({"OMP_NUM_THREADS": text})

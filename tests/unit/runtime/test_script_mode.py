import pytest

from moorage.runtime.failures import ModelUnusable
from moorage.runtime.frameworks import find


def test_an_archive_without_a_script_that_predicts_is_refused(tmp_path):
    framework = find("python")
    native = framework.load(tmp_path, {})
    with pytest.raises(ModelUnusable, match=r"code/inference\.py.* with predict_fn or transform_fn"):
        framework.serve(native, {}, print, predicts=True)


def test_whatever_the_script_returned_is_its_model():
    weights = object()
    model = find("python").serve(weights, {}, print, predicts=False)
    assert weights is model.native
    assert not model.batches
    assert [[1, 2], [3, 4]] == model.decode(b"1,2\n3,4\n", "text/csv").data.tolist()
    assert b'{"a":[1]}' == model.encode({"a": [1]}, "application/json")

"""PyTorch models answer as the module does when it is asked directly."""

from __future__ import annotations

import io
import json
import warnings

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed here: its models are served, untested")

from moorage.runtime import toolkit  # noqa: E402
from moorage.runtime.calls import Call  # noqa: E402
from moorage.runtime.failures import ModelUnusable, RequestRefused  # noqa: E402
from moorage.runtime.frameworks.pytorch import FRAMEWORK  # noqa: E402
from moorage.runtime.media import CSV, JSON, NPY  # noqa: E402
from moorage.runtime.settings import read_settings  # noqa: E402

ROWS = [[1.0, 2.0, 3.0], [0.5, -1.5, 4.0]]


class _Normalised(torch.nn.Module):
    """What a row is answered depends on the others."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = torch.nn.Linear(3, 2)

    def forward(self, x):
        return self.linear(x - x.mean(dim=0))


class _Twice(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = torch.nn.Linear(3, 2)

    def forward(self, x):
        return self.linear(x), x * 2


class _Listed(_Twice):
    def forward(self, x):
        return [self.linear(x), x * 2]


@pytest.fixture
def module():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.ReLU(), torch.nn.Dropout(0.5), torch.nn.Linear(8, 2))


@pytest.fixture
def serve(tmp_path):
    def served(module, name="model.pt"):
        if name.endswith("2"):
            dynamic = ({0: torch.export.Dim("rows")},)
            torch.export.save(
                torch.export.export(module.eval(), (torch.ones(4, 3),), dynamic_shapes=dynamic), tmp_path / name
            )
        else:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                torch.jit.script(module).save(tmp_path / name)
        said = []
        return FRAMEWORK.serve(FRAMEWORK.load(tmp_path, {}), {}, said.append, predicts=True), said

    return served


def _answer(model, body, media=JSON, accept=JSON):
    decoded = model.decode(body if isinstance(body, bytes) else json.dumps(body).encode(), media)
    return model.encode(model.predict(decoded.data, detailed=decoded.enveloped and accept == JSON), accept)


def _npy(array):
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


@pytest.mark.parametrize("name", ["model.pt", "net.pth", "model.pt2"])
@pytest.mark.parametrize(
    ("body", "media"),
    [(ROWS, JSON), (b"1,2,3\n0.5,-1.5,4\n", CSV), (_npy(np.asarray(ROWS, dtype=np.float32)), NPY)],
)
def test_a_module_answers_as_when_asked_directly(serve, module, name, body, media):
    model, _ = serve(module, name)
    with torch.inference_mode():
        expected = module.eval()(torch.tensor(ROWS))
    assert expected.tolist() == json.loads(_answer(model, body, media))
    assert {"predictions": expected.tolist()} == json.loads(_answer(model, {"instances": ROWS}))
    assert expected.tolist() == np.load(io.BytesIO(_answer(model, body, media, accept=NPY))).tolist()


def test_several_outputs_are_a_list(serve):
    model, _ = serve(_Twice())
    assert [[2.0, 4.0, 6.0]] == json.loads(_answer(model, ROWS[:1]))[1]
    with pytest.raises(RequestRefused, match="several outputs"):
        _answer(model, ROWS, accept=CSV)


def test_a_list_of_outputs_is_not_taken_for_rows(serve):
    model, _ = serve(_Listed())
    assert isinstance(model.predict(torch.tensor(ROWS), detailed=False), tuple)
    assert [[2.0, 4.0, 6.0]] == json.loads(_answer(model, ROWS[:1]))[1]


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ([[1, 2]], "mat1 and mat2 shapes cannot be multiplied"),
        ([["a", "b", "c"]], "not an array of numbers"),
        ({"inputs": {"x": [[1, 2, 3]]}}, "not an array of numbers"),
        (_npy(np.ones((1, 3), dtype=">f4")), "not an array of numbers"),
        (_npy(np.ones((1, 3), dtype="f8")), "dtype"),
    ],
)
def test_what_the_module_does_not_take_is_the_requests_fault_in_one_line(serve, module, body, sentence):
    model, _ = serve(module)
    with pytest.raises(RequestRefused, match=sentence) as refused:
        _answer(model, body, NPY if isinstance(body, bytes) else JSON)
    assert 400 == refused.value.status
    assert "\n" not in str(refused.value)


def test_requests_are_batched_if_every_row_is_answered_for_itself(serve, module):
    images = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.Flatten(), torch.nn.Linear(4 * 30 * 30, 2))
    assert (True, []) == (serve(module)[0].batches, serve(module)[1])
    assert (True, []) == (serve(images)[0].batches, serve(images)[1])
    model, said = serve(_Normalised())
    assert not model.batches
    assert ["otherwise than the same rows one by one" in sentence for sentence in said] == [True]


def test_a_module_that_tells_nothing_is_asked_for_one_request_at_a_time(serve):
    model, said = serve(torch.nn.ReLU())
    assert not model.batches
    assert ["not tried" in sentence for sentence in said] == [True]
    assert [[1.0, 0.0]] == json.loads(_answer(model, [[1, -1]]))


def test_weights_alone_need_a_script(tmp_path, module):
    torch.save(module.state_dict(), tmp_path / "model.pth")
    with pytest.raises(ModelUnusable, match=r"model\.pth cannot be loaded: .*TorchScript.* model_fn"):
        FRAMEWORK.load(tmp_path, {})


def test_a_scripts_module_is_asked_like_any_other(module):
    model = FRAMEWORK.serve(module.train(), {}, print, predicts=True)
    assert not module.training
    assert _answer(model, ROWS) == _answer(model, ROWS)  # without dropout
    assert b"[[1.5]]" == model.encode(torch.tensor([[1.5]], dtype=torch.bfloat16, requires_grad=True), JSON)


def test_a_scripts_own_object_needs_its_own_predict_fn():
    with pytest.raises(ModelUnusable, match=r"a dict: .*torch\.nn\.Module.* predict_fn"):
        FRAMEWORK.serve({}, {}, print, predicts=True)
    model = FRAMEWORK.serve({}, {}, print, predicts=False)
    assert {} == model.native
    assert torch.equal(torch.tensor([[1.0, 2.0]]), model.decode(b"[1, 2]", JSON).data)


def test_the_number_of_threads_is_the_processs(module):
    FRAMEWORK.serve(module, {"OMP_NUM_THREADS": "2"}, print, predicts=True)
    assert 2 == torch.get_num_threads()
    FRAMEWORK.serve(module, {}, print, predicts=True)
    assert 1 == torch.get_num_threads()


SCRIPT = """
import os, torch

def model_fn(model_dir):
    module = torch.nn.Linear(3, 2)
    module.load_state_dict(torch.load(os.path.join(model_dir, "model.pth")))
    return module
"""
PREDICTING = """
def predict_fn(data, module):
    assert data.dtype == torch.float32
    with torch.no_grad():
        return {"doubled": module(data) * 2}
"""


@pytest.mark.parametrize("predicts", [False, True])
def test_a_script_that_loads_weights_is_served_with_the_defaults_for_the_rest(tmp_path, predicts):
    module = torch.nn.Linear(3, 2)
    torch.save(module.state_dict(), tmp_path / "model.pth")
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "inference.py").write_text(SCRIPT + (PREDICTING if predicts else ""))
    loaded = toolkit.load(tmp_path, {}, read_settings({}), framework="pytorch", say=print)
    calls = [Call(json.dumps(ROWS[:count]).encode(), [], {}) for count in (1, 2)]
    answers = [json.loads(answer.body) for answer in loaded.answer_all(calls)]
    with torch.no_grad():
        expected = [module(torch.tensor(ROWS[:count])) for count in (1, 2)]
    for answer, tensor in zip(answers, expected, strict=True):
        found = np.asarray(answer["doubled"]) / 2 if predicts else answer
        assert np.allclose(tensor.numpy(), found, rtol=1e-6)  # rows that go together may be added up in another order

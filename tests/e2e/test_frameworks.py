"""Models of frameworks other than scikit-learn, deployed and invoked as users do, by the names AWS gives the images."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper

from moorage.testing.deployment import Deployer
from moorage.testing.models import archive, script_archive

pytestmark = pytest.mark.slow

BASE_PYTHON = "081325390199.dkr.ecr.us-east-1.amazonaws.com/sagemaker-base-python:1.0"
ROWS = [[1.0, 2.0, 3.0], [0.5, -1.5, 4.0]]


@pytest.fixture(scope="module")
def deployer(moorage_server):
    return Deployer(moorage_server)


def _network() -> bytes:
    """A layer with a sigmoid: `x`, rows of three → `scores`, rows of two."""
    weights = helper.make_tensor("weights", TensorProto.FLOAT, [3, 2], [1.0, 0.5, -2.0, 0.25, 3.0, -1.0])
    nodes = [helper.make_node("MatMul", ["x", "weights"], ["sums"]), helper.make_node("Sigmoid", ["sums"], ["scores"])]
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", 3])]
    outputs = [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["rows", 2])]
    graph = helper.make_graph(nodes, "network", inputs, outputs, [weights])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9).SerializeToString()


def _invoke(deployer, name, body, content_type="application/json"):
    answer = deployer.runtime.invoke_endpoint(EndpointName=name, Body=body, ContentType=content_type)
    return json.loads(answer["Body"].read())


def test_an_onnx_model_answers_as_onnx_runtime_does(deployer):
    network = _network()
    assert "InService" == deployer.deploy("onnx", archive({"model.onnx": network}), Image="moorage/onnx")
    expected = onnxruntime.InferenceSession(network).run(None, {"x": np.asarray(ROWS, dtype=np.float32)})[0].tolist()
    assert expected == _invoke(deployer, "onnx", json.dumps(ROWS))
    assert expected == _invoke(deployer, "onnx", b"1,2,3\n0.5,-1.5,4\n", "text/csv")
    assert {"predictions": expected} == _invoke(deployer, "onnx", json.dumps({"inputs": {"x": ROWS}}))
    deployer.delete("onnx")


def test_callers_of_processes_forked_with_an_onnx_session_get_their_own_answers(deployer):
    network = _network()
    environment = {"SAGEMAKER_MODEL_SERVER_WORKERS": "2"}
    assert "InService" == deployer.deploy(
        "onnx-workers", archive({"model.onnx": network}), Image="moorage/onnx", Environment=environment
    )
    direct = onnxruntime.InferenceSession(network)

    def call(caller: int) -> list[tuple[list, list]]:
        asked = [[[0.1 * caller, -0.01 * number, 0.5]] for number in range(20)]
        expected = [direct.run(None, {"x": np.asarray(rows, dtype=np.float32)})[0].tolist() for rows in asked]
        return [
            (rows, _invoke(deployer, "onnx-workers", json.dumps(each)))
            for rows, each in zip(expected, asked, strict=True)
        ]

    with ThreadPoolExecutor(8) as callers:
        for expected, answered in [pair for pairs in callers.map(call, range(8)) for pair in pairs]:
            assert np.allclose(expected, answered, rtol=1e-6)  # a batch may add up in another order
    deployer.delete("onnx-workers")


def test_plain_python_serves_what_its_script_does(deployer):
    script = "def transform_fn(model, data, content_type, accept):\n    return data[::-1], 'text/plain'\n"
    assert "InService" == deployer.deploy("python", script_archive(script), Image=BASE_PYTHON)
    answer = deployer.runtime.invoke_endpoint(EndpointName="python", Body="abc", ContentType="text/plain")
    assert b"cba" == answer["Body"].read()
    deployer.delete("python")


def test_plain_python_needs_a_script_that_predicts(deployer):
    assert "Failed" == deployer.deploy("scriptless", archive({"weights.bin": b"1"}), Image=BASE_PYTHON)
    reason = deployer.sagemaker.describe_endpoint(EndpointName="scriptless")["FailureReason"]
    assert "code/inference.py" in reason
    assert "transform_fn" in reason
    deployer.delete("scriptless")

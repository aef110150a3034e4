"""An ONNX model that many callers ask at once: their rows are predicted together, and each gets its own answers."""

from __future__ import annotations

import json
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from onnx import TensorProto, helper
from server_process import ServerProcess

pytestmark = pytest.mark.slow

CALLERS = 8
REQUESTS = 40


def _doubling() -> bytes:
    """Twice the input, after a square matrix of ones and noughts that takes long enough for requests to queue."""
    size = 256
    unit = [float(row == column) for row in range(size) for column in range(size)]
    weights = helper.make_tensor("unit", TensorProto.FLOAT, [size, size], unit)
    nodes = [helper.make_node("MatMul", ["x", "unit"], ["same"]), helper.make_node("Add", ["same", "x"], ["y"])]
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, size])]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, size])]
    graph = helper.make_graph(nodes, "doubling", inputs, outputs, [weights])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9).SerializeToString()


@pytest.fixture
def server():
    with tempfile.TemporaryDirectory(prefix="moorage-") as name:
        (Path(name) / "model.onnx").write_bytes(_doubling())
        server = ServerProcess(Path(name), framework="onnx")
        yield server
        server.close()


def test_callers_get_the_answers_to_their_own_rows(server):
    def call(caller: int) -> list[bool]:
        connection = server.connect()
        asked = [[[float(caller), float(number), *[0.5] * 254]] * (1 + number % 3) for number in range(REQUESTS)]
        answers = [connection.ask(json.dumps(rows).encode()) for rows in asked]
        doubled = [[[2 * value for value in row] for row in rows] for rows in asked]
        return [
            (200, rows) == (status, json.loads(body)) for rows, (status, body) in zip(doubled, answers, strict=True)
        ]

    with ThreadPoolExecutor(CALLERS) as callers:
        answered = [is_right for answers in callers.map(call, range(CALLERS)) for is_right in answers]
    assert [True] * CALLERS * REQUESTS == answered
    assert "not predicted together" not in server.log()
    assert 0 == server.stop()

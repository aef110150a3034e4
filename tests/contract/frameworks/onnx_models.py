"""Small ONNX models of every shape of contract, built node by node."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto, helper

_FLOAT, _INT, _TEXT = TensorProto.FLOAT, TensorProto.INT64, TensorProto.STRING
_OPSETS = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]

WEIGHTS = np.asarray([[1.0, 0.5], [-2.0, 0.25], [3.0, -1.0]], dtype=np.float32)


def linear(rows: int | None = None, columns: int | None = 3) -> bytes:
    """`scores` = `x` · WEIGHTS, for rows of three numbers, which it may leave unsaid."""
    weights = helper.make_tensor("weights", _FLOAT, WEIGHTS.shape, WEIGHTS.ravel())
    return _model(
        [helper.make_node("MatMul", ["x", "weights"], ["scores"])],
        [("x", _FLOAT, [rows, columns])],
        [("scores", _FLOAT, [rows, 2])],
        [weights],
    )


def two_by_two() -> bytes:
    """Two named inputs, numbers and whole numbers, and two named outputs: their sum and the tripled whole ones."""
    three = helper.make_tensor("three", _INT, [1], [3])
    return _model(
        [
            helper.make_node("Cast", ["ids"], ["floats"], to=_FLOAT),
            helper.make_node("Add", ["x", "floats"], ["sum"]),
            helper.make_node("Mul", ["ids", "three"], ["tripled"]),
        ],
        [("x", _FLOAT, ["rows", 2]), ("ids", _INT, ["rows", 2])],
        [("sum", _FLOAT, ["rows", 2]), ("tripled", _INT, ["rows", 2])],
        [three],
    )


def centred() -> bytes:
    """Each row less the mean of all: what a row is answered depends on the others."""
    return _model(
        [helper.make_node("ReduceMean", ["x"], ["mean"], axes=[0]), helper.make_node("Sub", ["x", "mean"], ["y"])],
        [("x", _FLOAT, [None, 3])],
        [("y", _FLOAT, [None, 3])],
    )


def total() -> bytes:
    """One number for all the rows."""
    return _model(
        [helper.make_node("ReduceSum", ["x"], ["y"], keepdims=0)],
        [("x", _FLOAT, [None, 3])],
        [("y", _FLOAT, [])],
    )


def echo() -> bytes:
    """Text in, the same text out."""
    return _model([helper.make_node("Identity", ["x"], ["y"])], [("x", _TEXT, [None])], [("y", _TEXT, [None])])


def classifier(*, zipped: bool) -> bytes:
    """A logistic model of the classes 3 and 7, with its probabilities as a matrix, or as dictionaries."""
    probabilities = "matrix" if zipped else "probabilities"
    nodes = [
        helper.make_node(
            "LinearClassifier",
            ["x"],
            ["label", probabilities],
            domain="ai.onnx.ml",
            classlabels_ints=[3, 7],
            coefficients=[-1.0, -2.0, 1.0, 2.0],
            intercepts=[0.5, -0.5],
            post_transform="SOFTMAX",
            multi_class=1,
        )
    ]
    outputs = [helper.make_tensor_value_info("label", _INT, [None])]
    if zipped:
        zipmap = helper.make_node(
            "ZipMap", ["matrix"], ["probabilities"], domain="ai.onnx.ml", classlabels_int64s=[3, 7]
        )
        nodes.append(zipmap)
        of_class = helper.make_map_type_proto(_INT, helper.make_tensor_type_proto(_FLOAT, []))
        outputs.append(helper.make_value_info("probabilities", helper.make_sequence_type_proto(of_class)))
    else:
        outputs.append(helper.make_tensor_value_info("probabilities", _FLOAT, [None, 2]))
    return _serialized(nodes, [helper.make_tensor_value_info("x", _FLOAT, [None, 2])], outputs, [])


def _model(nodes: list, inputs: list, outputs: list, constants: list | None = None) -> bytes:
    return _serialized(
        nodes,
        [helper.make_tensor_value_info(*each) for each in inputs],
        [helper.make_tensor_value_info(*each) for each in outputs],
        constants or [],
    )


def _serialized(nodes: list, inputs: list, outputs: list, constants: list) -> bytes:
    graph = helper.make_graph(nodes, "model", inputs, outputs, constants)
    return helper.make_model(graph, opset_imports=_OPSETS, ir_version=9).SerializeToString()

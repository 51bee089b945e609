"""Which integers this processor multiplies without loss.

Processors with instructions for products of 8 bits (VNNI and its like) multiply uint8 by int8
exactly. Others add pairs of such products in 16 bits, which saturates, and vectors would be wrong
there; uint8 by uint8 they multiply exactly, more slowly. Either way the sums are the same integers,
so vectors do not depend on the machine.
"""

from __future__ import annotations

from functools import cache
from typing import Literal

import numpy as np
import onnxruntime
from onnx import TensorProto, helper

__all__ = ["WeightKind", "weight_kind"]

WeightKind = Literal["int8", "uint8"]
"""Of what type the rounded weights of a product are; activations are uint8."""

_ROWS, _DEPTH, _COLUMNS = 4, 64, 16


@cache
def weight_kind() -> WeightKind:
    """Return the type of weights that is fastest among those whose products are right here.

    Example:
        >>> weight_kind() in ("int8", "uint8")
        True
    """
    graph = helper.make_graph(
        [helper.make_node("MatMulInteger", ["a", "b"], ["sums"])],
        "largest-products",
        [
            helper.make_tensor_value_info("a", TensorProto.UINT8, [_ROWS, _DEPTH]),
            helper.make_tensor_value_info("b", TensorProto.INT8, [_DEPTH, _COLUMNS]),
        ],
        [helper.make_tensor_value_info("sums", TensorProto.INT32, [_ROWS, _COLUMNS])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    largest = {
        "a": np.full((_ROWS, _DEPTH), 255, dtype=np.uint8),
        "b": np.full((_DEPTH, _COLUMNS), 127, dtype=np.int8),
    }
    (sums,) = session.run(None, largest)
    return "int8" if np.all(sums == 255 * 127 * _DEPTH) else "uint8"

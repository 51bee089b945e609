"""ONNX graphs made ready to run: cut at an inner output, matrix products turned to int8.

Pure functions on `onnx.ModelProto`; running them is `encoders.session`'s work.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from encoders.products import WeightKind, weight_kind
from kg.errors import InputError

__all__ = ["cut_at", "quantise_products"]


def cut_at(model: Any, *outputs: str) -> Any:
    """Return the part of a model that computes inner outputs, and nothing else.

    Args:
        model: An `onnx.ModelProto`; it is not changed.
        outputs: Names of tensors inside its graph; several are joined along axis 1.

    Raises:
        InputError: No node computes such a tensor.
    """
    producers = {name: node for node in model.graph.node for name in node.output}
    for output in outputs:
        if output not in producers:
            raise InputError(f"the model computes no tensor {output!r}", where=model.graph.name)
    wanted: set[int] = set()
    open_names = list(outputs)
    while open_names:
        node = producers.get(open_names.pop())
        if node is not None and id(node) not in wanted:
            wanted.add(id(node))
            open_names.extend(node.input)
    nodes = [node for node in model.graph.node if id(node) in wanted]
    used = {name for node in nodes for name in node.input}
    result = outputs[0]
    if len(outputs) > 1:
        result = "joined"
        nodes.append(helper.make_node("Concat", list(outputs), [result], axis=1))
    graph = helper.make_graph(
        nodes,
        f"{model.graph.name}-cut",
        [value for value in model.graph.input if value.name in used],
        [helper.make_tensor_value_info(result, TensorProto.FLOAT, None)],
        initializer=[value for value in model.graph.initializer if value.name in used],
    )
    return helper.make_model(graph, opset_imports=model.opset_import, ir_version=8)


def quantise_products(model: Any, *, weights: WeightKind | None = None) -> Any:
    """Return the model with ``activation x constant`` products computed in 8 bits.

    Weights are rounded symmetrically a column (output channel), activations when the graph runs,
    one scale a tensor. That scale covers all items of a run, so run one item at a time
    (`encoders.session`): then an item's vector does not depend on its neighbours.

    Args:
        model: An `onnx.ModelProto`; it is not changed.
        weights: Type of the rounded weights, which changes no result but where products of it
            saturate; None takes one that is right on this machine.
    """
    kind = weights or weight_kind()
    constants = {value.name: value for value in model.graph.initializer}
    rounded: dict[str, None] = {}
    quantised_inputs: dict[str, tuple[str, str, str]] = {}
    initializers: list[Any] = []
    nodes: list[Any] = []
    for node in model.graph.node:
        weight = constants.get(node.input[1]) if node.op_type == "MatMul" else None
        if weight is None or len(weight.dims) != 2:
            nodes.append(node)
            continue
        source = node.input[0]
        if source not in quantised_inputs:
            names = (f"{source}_int8", f"{source}_scale", f"{source}_zero")
            nodes.append(helper.make_node("DynamicQuantizeLinear", [source], list(names)))
            quantised_inputs[source] = names
        if weight.name not in rounded:
            rounded[weight.name] = None
            initializers.extend(_rounded_weight(weight.name, numpy_helper.to_array(weight), kind))
        nodes.extend(_product_nodes(node, weight.name, quantised_inputs[source]))
    used = {name for node in nodes for name in node.input}
    kept = [value for value in model.graph.initializer if value.name in used]
    graph = helper.make_graph(
        nodes,
        model.graph.name,
        list(model.graph.input),
        list(model.graph.output),
        initializer=kept + initializers,
    )
    return helper.make_model(graph, opset_imports=model.opset_import, ir_version=8)


def _rounded_weight(name: str, weight: NDArray[np.float32], kind: WeightKind) -> list[Any]:
    scale = np.abs(weight).max(axis=0) / 127.0
    scale = np.where(scale > 0, scale, 1.0).astype(np.float32)
    zero = 128 if kind == "uint8" else 0
    values = (np.clip(np.rint(weight / scale), -127, 127) + zero).astype(kind)
    return [
        numpy_helper.from_array(values, f"{name}_int8"),
        numpy_helper.from_array(scale, f"{name}_scale"),
        numpy_helper.from_array(np.full(scale.shape, zero, dtype=kind), f"{name}_zero"),
    ]


def _product_nodes(node: Any, weight: str, source: tuple[str, str, str]) -> list[Any]:
    values, scale, zero = source
    result = node.output[0]
    inputs = [values, f"{weight}_int8", zero, f"{weight}_zero"]
    # this very order of Cast and Mul is the one that onnxruntime fuses to one kernel
    return [
        helper.make_node("MatMulInteger", inputs, [f"{result}_int32"]),
        helper.make_node(
            "Cast", [f"{result}_int32"], [f"{result}_cast"], to=onnx.TensorProto.FLOAT
        ),
        helper.make_node("Mul", [scale, f"{weight}_scale"], [f"{result}_scales"]),
        helper.make_node("Mul", [f"{result}_cast", f"{result}_scales"], [result]),
    ]

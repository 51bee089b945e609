"""BERT's encoder as an ONNX graph, built from a safetensors file without torch.

Devlin et al. 2019 (post-norm transformer, GELU by erf). Inputs ``ids`` and ``positions``, both
``(length,)`` int64: one text a run, so there is no padding and no mask. Output ``hidden``,
``(length, dim)``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file

from kg.errors import ForeignFileError

__all__ = ["bert_graph"]

_OPSET = 17  # the first with LayerNormalization


def bert_graph(folder: Path) -> Any:
    """Read ``config.json`` and ``model.safetensors`` of a BERT and return its `onnx.ModelProto`.

    Raises:
        ForeignFileError: The folder holds another kind of model.
    """
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    if config.get("model_type") != "bert" or config.get("hidden_act") != "gelu":
        raise ForeignFileError("not a BERT model with GELU", where=str(folder))
    builder = _Builder(load_file(str(folder / "model.safetensors")), config)
    return builder.build()


class _Builder:
    """Collects nodes and constants; each method adds one layer and returns its output's name."""

    def __init__(
        self, weights: Mapping[str, NDArray[np.float32]], config: Mapping[str, Any]
    ) -> None:
        self._weights = weights
        self._config = config
        self._nodes: list[Any] = []
        self._constants: dict[str, Any] = {}
        self._count = 0

    def build(self) -> Any:
        words = self._add("Gather", self._weight("embeddings.word_embeddings.weight"), "ids")
        places = self._add(
            "Gather", self._weight("embeddings.position_embeddings.weight"), "positions"
        )
        kind = self._constant("type", self._weights["embeddings.token_type_embeddings.weight"][0])
        x = self._norm(self._add("Add", self._add("Add", words, places), kind), "embeddings")
        for layer in range(self._config["num_hidden_layers"]):
            x = self._layer(x, f"encoder.layer.{layer}")
        self._nodes.append(helper.make_node("Identity", [x], ["hidden"]))
        graph = helper.make_graph(
            self._nodes,
            "bert",
            [
                helper.make_tensor_value_info(name, TensorProto.INT64, ["length"])
                for name in ("ids", "positions")
            ],
            [helper.make_tensor_value_info("hidden", TensorProto.FLOAT, ["length", None])],
            initializer=list(self._constants.values()),
        )
        return helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=8
        )

    def _layer(self, x: str, prefix: str) -> str:
        heads = self._config["num_attention_heads"]
        width = self._config["hidden_size"] // heads
        split = self._constant(f"split{heads}", np.array([-1, heads, width], dtype=np.int64))
        join = self._constant("join", np.array([-1, heads * width], dtype=np.int64))
        scale = self._constant("scale", np.array(1 / math.sqrt(width), dtype=np.float32))

        def head(name: str, order: list[int]) -> str:
            flat = self._linear(x, f"{prefix}.attention.self.{name}")
            return self._add("Transpose", self._add("Reshape", flat, split), perm=order)

        query, value = head("query", [1, 0, 2]), head("value", [1, 0, 2])
        logits = self._add("MatMul", query, head("key", [1, 2, 0]))
        attention = self._add("Softmax", self._add("Mul", logits, scale), axis=-1)
        mixed = self._add("Transpose", self._add("MatMul", attention, value), perm=[1, 0, 2])
        flat = self._linear(self._add("Reshape", mixed, join), f"{prefix}.attention.output.dense")
        x = self._norm(self._add("Add", flat, x), f"{prefix}.attention.output")
        inner = self._gelu(self._linear(x, f"{prefix}.intermediate.dense"))
        outer = self._linear(inner, f"{prefix}.output.dense")
        return self._norm(self._add("Add", outer, x), f"{prefix}.output")

    def _linear(self, x: str, prefix: str) -> str:
        product = self._add("MatMul", x, self._weight(f"{prefix}.weight", transposed=True))
        return self._add("Add", product, self._weight(f"{prefix}.bias"))

    def _norm(self, x: str, prefix: str) -> str:
        gain, bias = (self._weight(f"{prefix}.LayerNorm.{name}") for name in ("weight", "bias"))
        epsilon = float(self._config["layer_norm_eps"])
        return self._add("LayerNormalization", x, gain, bias, axis=-1, epsilon=epsilon)

    def _gelu(self, x: str) -> str:
        root = self._constant("root", np.array(math.sqrt(2.0), dtype=np.float32))
        one = self._constant("one", np.array(1.0, dtype=np.float32))
        half = self._constant("half", np.array(0.5, dtype=np.float32))
        erf = self._add("Add", self._add("Erf", self._add("Div", x, root)), one)
        return self._add("Mul", self._add("Mul", x, erf), half)

    def _add(self, kind: str, *inputs: str, **attributes: Any) -> str:
        self._count += 1
        output = f"{kind.lower()}{self._count}"
        self._nodes.append(helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def _weight(self, name: str, *, transposed: bool = False) -> str:
        value = self._weights[name]
        return self._constant(name, np.ascontiguousarray(value.T) if transposed else value)

    def _constant(self, name: str, value: NDArray[Any]) -> str:
        if name not in self._constants:
            self._constants[name] = numpy_helper.from_array(np.asarray(value), name)
        return name

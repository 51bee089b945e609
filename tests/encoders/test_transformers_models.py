"""Encoders from directories of tiny random models, against the models themselves."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from encoders import transformers_image_encoder, transformers_text_encoder
from kg.errors import InputError, MissingPartError

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "peru", "chile", "borders", "and"]
TINY = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
}
VISION = {**TINY, "image_size": 32, "patch_size": 8}


def save_tokenizer(folder: Path) -> None:
    words = {word: index for index, word in enumerate(WORDS)}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token=WORDS[1]))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        **{f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep")},
    ).save_pretrained(folder)


def make(kind: str, folder: Path) -> Path:
    torch.manual_seed(1)
    text = {**TINY, "vocab_size": len(WORDS), "max_position_embeddings": 10}
    if kind == "bert":
        model = transformers.BertModel(transformers.BertConfig(**text))
    elif kind == "vit":
        model = transformers.ViTModel(transformers.ViTConfig(**VISION))
    elif kind == "clip":
        text |= {"bos_token_id": 2, "eos_token_id": 3, "pad_token_id": 0}
        model = transformers.CLIPModel(
            transformers.CLIPConfig(text_config=text, vision_config=VISION, projection_dim=24)
        )
    else:
        model = transformers.SiglipModel(
            transformers.SiglipConfig(
                text_config={**text, "pad_token_id": 0, "projection_size": 32}, vision_config=VISION
            )
        )
    model.save_pretrained(folder)
    save_tokenizer(folder)
    return folder


@pytest.fixture(scope="module", params=["bert", "clip", "siglip"])
def text_folder(request, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    return request.param, make(request.param, tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="module", params=["vit", "clip", "siglip"])
def image_folder(request, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    return request.param, make(request.param, tmp_path_factory.mktemp(request.param))


def test_texts(text_folder: tuple[str, Path]) -> None:
    kind, folder = text_folder
    encoder = transformers_text_encoder(folder)
    texts = ["peru borders chile", "", "chile", "peru and " * 50]
    vectors = encoder.encode(texts)
    assert vectors.pooled.shape == (4, encoder.dimension)
    assert encoder.dimension == {"bert": 32, "clip": 24, "siglip": 32}[kind]
    assert vectors.mask.sum(axis=1).tolist() == [5, 0, 3, 10]
    alone = encoder.encode(["chile"])
    np.testing.assert_allclose(alone.pooled[0], vectors.pooled[2], atol=1e-5)
    np.testing.assert_allclose(
        alone.tokens[0].astype(float), vectors.tokens[2][vectors.mask[2]].astype(float), atol=2e-3
    )


def test_clip_texts_equal_the_models_own_features(tmp_path: Path) -> None:
    folder = make("clip", tmp_path)
    model = transformers.CLIPModel.from_pretrained(folder).eval()
    ids = torch.tensor([[2, 4, 6, 5, 3]])
    with torch.inference_mode():
        tower = model.text_model(input_ids=ids, attention_mask=torch.ones_like(ids))
        expected = torch.nn.functional.normalize(
            model.text_projection(tower.pooler_output), dim=-1
        ).numpy()
    ours = transformers_text_encoder(folder).encode(["peru borders chile"]).pooled
    np.testing.assert_allclose(ours, expected, atol=1e-5)


def test_images(image_folder: tuple[str, Path]) -> None:
    kind, folder = image_folder
    encoder = transformers_image_encoder(str(folder))
    generator = np.random.default_rng(0)
    images = [generator.integers(0, 256, size=(20, 50, 3), dtype=np.uint8) for _ in range(9)]
    vectors = encoder.encode(images)
    assert encoder.grid == (4, 4)
    assert vectors.tokens.shape == (9, 16, encoder.dimension)
    assert encoder.dimension == {"vit": 32, "clip": 24, "siglip": 32}[kind]
    np.testing.assert_allclose(encoder.encode(images[8:]).pooled[0], vectors.pooled[8], atol=1e-5)


def test_normalisation_is_read_from_the_folder(tmp_path: Path) -> None:
    folder = make("vit", tmp_path)
    picture = np.random.default_rng(0).integers(0, 256, size=(32, 32, 3), dtype=np.uint8)
    before = transformers_image_encoder(folder).encode([picture]).pooled
    (folder / "preprocessor_config.json").write_text(
        json.dumps({"image_mean": [0.1, 0.2, 0.3], "image_std": [0.9, 0.9, 0.9]})
    )
    after = transformers_image_encoder(folder).encode([picture]).pooled
    assert np.abs(before - after).max() > 1e-4


def test_other_weights_have_another_fingerprint(tmp_path: Path) -> None:
    folder = make("bert", tmp_path)
    first = transformers_text_encoder(folder).fingerprint
    assert transformers_text_encoder(folder).fingerprint == first
    model = transformers.BertModel.from_pretrained(folder)
    with torch.no_grad():
        model.encoder.layer[0].output.dense.weight += 0.1
    model.save_pretrained(folder)
    assert transformers_text_encoder(folder).fingerprint != first


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingPartError, match="cannot load"):
        transformers_text_encoder(tmp_path)
    with pytest.raises(MissingPartError, match="no directory here"):
        transformers_text_encoder(tmp_path / "none")
    with pytest.raises(InputError, match="vision"):
        transformers_image_encoder(make("bert", tmp_path / "bert"))

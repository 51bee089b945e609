"""A frozen masked language model, from a tiny random BERT and from the packaged MiniLM."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
import transformers
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from encoders.masked_language_model import MaskedLanguageModel
from kg.errors import InputError, MissingPartError

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "person", "horse", "hat"]
SPECIAL = [word for word in WORDS if word.startswith("[")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bert")
    torch.manual_seed(1)
    transformers.BertForMaskedLM(
        transformers.BertConfig(
            vocab_size=len(WORDS),
            hidden_size=16,
            intermediate_size=24,
            num_hidden_layers=3,
            num_attention_heads=2,
            max_position_embeddings=40,
        )
    ).save_pretrained(folder)
    words = Tokenizer(models.WordLevel({w: i for i, w in enumerate(WORDS)}, unk_token=WORDS[1]))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    words.add_special_tokens(SPECIAL)
    words.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    names = {f"{word[1:-1].lower()}_token": word for word in SPECIAL}
    transformers.PreTrainedTokenizerFast(tokenizer_object=words, **names).save_pretrained(folder)
    return folder


def test_the_state_is_that_of_the_model_at_the_blank(folder: Path) -> None:
    language = MaskedLanguageModel(folder)
    tokens = language.tokens(["person [MASK] horse", "hat [MASK] person hat"])
    assert tokens.tolist() == [[2, 5, 4, 6, 3, -1], [2, 7, 4, 5, 7, 3]]
    state = language.state_at_mask(tokens, torch.empty(2, 0, language.dimension))
    whole = transformers.BertModel.from_pretrained(folder).eval()
    for row, length in enumerate((5, 6)):
        alone = whole(input_ids=tokens[row : row + 1, :length]).last_hidden_state[0, 2]
        torch.testing.assert_close(state[row], alone, atol=1e-5, rtol=1e-4)


def test_prompts_are_read_and_get_gradients_but_the_model_does_not_learn(folder: Path) -> None:
    language = MaskedLanguageModel(folder, layers=2)
    tokens = language.tokens(["person [MASK] horse"])
    prompts = torch.zeros(1, 3, language.dimension, requires_grad=True)
    state = language.state_at_mask(tokens, prompts)
    state[0, 0].backward()
    assert prompts.grad is not None
    assert float(prompts.grad.abs().sum()) > 0
    other = language.state_at_mask(tokens, torch.arange(48.0).sin().reshape(1, 3, 16))
    assert not torch.allclose(state, other)
    assert not any(one.requires_grad for one in language._model.parameters())


def test_a_fingerprint_is_that_of_the_weights(folder: Path, tmp_path: Path) -> None:
    # the pooler is drawn anew at each loading, and the folder may be moved
    shutil.copytree(folder, tmp_path / folder.name)
    moved = MaskedLanguageModel(tmp_path / folder.name)
    assert moved.fingerprint == MaskedLanguageModel(folder).fingerprint


def test_fewer_layers_are_another_model(folder: Path) -> None:
    models_ = [MaskedLanguageModel(folder, layers=layers) for layers in (None, 1)]
    assert models_[0].fingerprint != models_[1].fingerprint
    with pytest.raises(InputError, match="it has 3 layers"):
        MaskedLanguageModel(folder, layers=4)


@pytest.mark.parametrize("text", ["person horse", "[MASK] on [MASK]", "hat " * 40 + "[MASK]"])
def test_a_text_needs_one_blank_within_the_limit(folder: Path, text: str) -> None:
    with pytest.raises(InputError, match=r"expected one \[MASK\]"):
        MaskedLanguageModel(folder).tokens(["hat [MASK] person", text])


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingPartError, match="cannot load the model"):
        MaskedLanguageModel(tmp_path)


def test_the_packaged_model_is_the_default() -> None:
    language = MaskedLanguageModel(layers=1)
    tokens = language.tokens([f"person {language.mask_token} horse"])
    assert language.state_at_mask(tokens, torch.zeros(1, 2, 384)).shape == (1, 384)

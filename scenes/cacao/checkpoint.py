"""Trained prompts on disk: arrays as safetensors, everything else as JSON; no pickle.

The language model itself is not kept: it is frozen, and named by its fingerprint.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from kg.described_arrays import DescribedArrays
from kg.errors import ConflictError
from scenes.cacao.config import PromptConfig
from scenes.cacao.prompted_model import LanguageModel, PromptedModel
from scenes.relations.annotations import Vocabulary

__all__ = ["load_prompts", "save_prompts"]

_FILES = DescribedArrays(kind="prompted language model", stem="prompts", format=1)


def save_prompts(model: PromptedModel, folder: Path) -> None:
    """Write trained prompts; older ones in the folder are replaced."""
    values = {
        "language": model.language.fingerprint,
        "objects": model.vocabulary.objects,
        "predicates": model.vocabulary.predicates,
        "config": asdict(model.config),
    }
    _FILES.write(folder, values, {name: one.numpy() for name, one in model.state_dict().items()})


def load_prompts(folder: Path, language: LanguageModel) -> PromptedModel:
    """Read prompts that `save_prompts` wrote.

    Args:
        folder: Where they lie.
        language: The language model that they were trained for.

    Raises:
        MissingPartError: There are none.
        ForeignFileError: The files are something else, or do not belong together.
        FormatVersionError: They are of another format.
        ConflictError: They were trained for another language model.
    """
    values = _FILES.read(folder)
    if values.get("language") != language.fingerprint:
        raise ConflictError(
            f"the prompts were trained for {values.get('language')}, not {language.fingerprint}",
            where=str(folder),
            hint="give that language model, or train the prompts again",
        )
    with _FILES.opened(folder) as arrays:
        config = values["config"] | {"epochs": tuple(values["config"]["epochs"])}
        model = PromptedModel(
            language,
            Vocabulary(tuple(values["objects"]), tuple(values["predicates"])),
            arrays["scale"].astype(np.float64),
            PromptConfig(**config),
            generator=torch.Generator(),
        )
        state = {name: torch.from_numpy(one.copy()) for name, one in arrays.items()}
        try:
            model.load_state_dict(state)
        except RuntimeError as error:  # torch's word for arrays of another shape
            raise ValueError(str(error)) from error
    return model.eval()

"""The prompted language model of `bench.scenes_cacao`, trained once and kept."""

from __future__ import annotations

import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from api.steps.boost_annotations import FOLLOWED, LAYERS, PROMPTS
from bench.scenes_data import Vrd
from encoders import TextEncoder
from encoders.masked_language_model import MaskedLanguageModel
from kg.files import atomic_write
from scenes.cacao.boosting import Boosted, BoostingConfig, boost
from scenes.cacao.checkpoint import load_prompts, save_prompts
from scenes.cacao.prompted_model import PromptedModel
from scenes.cacao.training import Samples, train_prompts
from scenes.relations.pairs import pair_table

__all__ = ["Teacher", "boosted_train"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Teacher:
    """A trained prompted model; the held-out tenth of train only steered its learning rate."""

    model: PromptedModel

    @classmethod
    def read_or_train(
        cls, data: Vrd, encoder: TextEncoder, work: Path, *, seed: int, name: str = "prompts"
    ) -> Teacher:
        """Return the model that is kept in `work`, or train and keep it.

        Args:
            data: The set, of which the held-out tenth of train is judged.
            encoder: Encodes the predicates' names.
            work: Keeps the weights.
            seed: Of the training.
            name: Of the weights there.
        """
        kept = work / f"{name}-{seed}"
        language = MaskedLanguageModel(layers=LAYERS)
        if kept.exists():
            return cls(load_prompts(kept, language))
        model = train_prompts(
            Samples.of_images(data.train, data.vocabulary),
            Samples.of_images(data.judged, data.vocabulary, most=FOLLOWED, seed=seed),
            language=language,
            names=encoder,
            vocabulary=data.vocabulary,
            config=PROMPTS,
            seed=seed,
            progress=lambda done, of: print(f"prompts, epoch {done} of {of}", file=sys.stderr),
        )
        save_prompts(model, kept)
        return cls(model)


@dataclass(frozen=True, slots=True)
class _KeptScores:
    """What a teacher says of pairs, kept: to ask it of all pairs of train takes minutes."""

    teacher: Teacher
    work: Path

    def log_probabilities(self, labels: NDArray[np.int64], measures: Floats) -> Floats:
        weights = b"".join(
            one.numpy().tobytes() for one in self.teacher.model.state_dict().values()
        )
        asked = hashlib.sha256(weights + labels.tobytes() + measures.tobytes()).hexdigest()
        kept = self.work / f"prompted-{asked[:16]}.npy"
        if not kept.exists():
            found = self.teacher.model.log_probabilities(labels, measures)
            with atomic_write(kept) as file:
                np.save(file, found.astype(np.float32))
        scores: Floats = np.load(kept, allow_pickle=False).astype(np.float64)
        return scores


def boosted_train(data: Vrd, teacher: Teacher, config: BoostingConfig, work: Path) -> Boosted:
    """Return train with the teacher's additions.

    Args:
        data: The set.
        teacher: The prompted model.
        config: What is believed.
        work: Keeps what the teacher says.
    """
    pairs = pair_table(data.train, predicates=len(data.vocabulary.predicates))
    scorer = _KeptScores(teacher, work)
    return boost(data.train, pairs, pairs.geometry, scorer, config=config)

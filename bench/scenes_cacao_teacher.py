"""The prompted language model of `bench.scenes_cacao`, trained once and kept."""

from __future__ import annotations

import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.scenes_data import Vrd
from encoders import TextEncoder
from encoders.masked_language_model import MaskedLanguageModel
from kg.files import atomic_write
from scenes.cacao.boosting import Boosted, BoostingConfig, boost
from scenes.cacao.checkpoint import load_prompts, save_prompts
from scenes.cacao.config import PromptConfig
from scenes.cacao.prompted_model import PromptedModel
from scenes.cacao.training import Samples, train_prompts
from scenes.relations.annotations import AnnotatedImage, Vocabulary
from scenes.relations.pairs import pair_table

__all__ = ["CONFIG", "LAYERS", "Teacher", "boosted_train"]

Floats = NDArray[np.float64]

LAYERS = 2
"""Of the packaged MiniLM: all six cost three times as much."""

CONFIG = PromptConfig(learning_rate=2e-3, epochs=(2, 1, 1), most=150)
"""The paper's schedule at a higher rate, since a predicate is seen so few times."""

_FOLLOWED = 600  # held-out samples by which the learning rate is steered


@dataclass(frozen=True, slots=True)
class Teacher:
    """A trained prompted model; the held-out tenth of train only steered its learning rate."""

    model: PromptedModel

    @classmethod
    def read_or_train(cls, folder: Path, encoder: TextEncoder, work: Path, *, seed: int) -> Teacher:
        """Return the model that is kept in `work`, or train and keep it.

        Args:
            folder: Of the data set.
            encoder: Encodes the predicates' names.
            work: Keeps the weights.
            seed: Of the training.
        """
        kept = work / f"prompts-{seed}"
        language = MaskedLanguageModel(layers=LAYERS)
        if kept.exists():
            return cls(load_prompts(kept, language))
        data = Vrd.read(folder, valid=True)
        model = train_prompts(
            _samples(data.train, data.vocabulary),
            _samples(data.judged, data.vocabulary, most=_FOLLOWED, seed=seed),
            language=language,
            names=encoder,
            vocabulary=data.vocabulary,
            config=CONFIG,
            seed=seed,
            progress=lambda done, of: print(f"prompts, epoch {done} of {of}", file=sys.stderr),
        )
        save_prompts(model, kept)
        return cls(model)


def _samples(
    images: tuple[AnnotatedImage, ...],
    vocabulary: Vocabulary,
    *,
    most: int | None = None,
    seed: int = 0,
) -> Samples:
    pairs = pair_table(images, predicates=len(vocabulary.predicates))
    said = pairs.said.copy()
    if most is not None:
        rows, predicates = np.nonzero(said)
        left_out = np.random.default_rng(seed).permutation(len(rows))[most:]
        said[rows[left_out], predicates[left_out]] = False
    return Samples.of(pairs.labels, pairs.geometry, said)


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

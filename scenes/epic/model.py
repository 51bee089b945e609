"""A model of relations with an open vocabulary: predicates are scored by their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray

from encoders.protocols import TextEncoder
from kg.errors import InputError, SettingError
from scenes.epic.config import EpicConfig
from scenes.epic.prompts import PromptNetwork
from scenes.epic.word_hints import word_hints
from scenes.relations.annotations import AnnotatedImage, Vocabulary
from scenes.relations.counts import TripletCounts
from scenes.relations.pairs import PairTable, pair_table
from scenes.relations.weights import member_arrays, member_weights

__all__ = ["OpenModel", "class_affinities", "described_names"]

Floats = NDArray[np.float64]


def described_names(
    names: Sequence[str], encoder: TextEncoder, config: EpicConfig
) -> NDArray[np.float32]:
    """Return ``(names, features)``, what the model reads of predicates' names."""
    parts: list[NDArray[Any]] = []
    if config.names != "vectors":
        parts.append(word_hints(names, encoder))
    if config.names != "hints":
        parts.append(config.vector_scale * encoder.encode(names).pooled)
    return np.concatenate(parts, axis=1).astype(np.float32)


def class_affinities(vocabulary: Vocabulary, encoder: TextEncoder) -> NDArray[np.float32]:
    """Return ``(predicates, objects)``, how near each predicate's name is to each class's.

    Cosines, for each predicate in standard deviations over the classes from their mean: "eat" is
    near "pizza", whether it is near to names in general or not.
    """
    predicates, objects = (
        encoder.encode(names).pooled for names in (vocabulary.predicates, vocabulary.objects)
    )
    cosines = predicates @ objects.T
    spread = np.maximum(cosines.std(axis=1, keepdims=True), 1e-9)
    standard: NDArray[np.float32] = (cosines - cosines.mean(axis=1, keepdims=True)) / spread
    return standard.astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class OpenModel:
    """Prompt networks of one training, and the names that they score.

    Attributes:
        vocabulary: Classes of the training images; predicates to score, seen as labels or not.
        counts: Of the training images, of the predicates to score.
        config: Shape and schedule.
        names: ``(predicates, features)`` descriptions of the predicates' names.
        affinities: ``(predicates, objects)`` from `class_affinities`.
        networks: The members.
    """

    kind: ClassVar[str] = "epic"
    vocabulary: Vocabulary
    counts: TripletCounts
    config: EpicConfig
    names: NDArray[np.float32]
    affinities: NDArray[np.float32]
    networks: tuple[PromptNetwork, ...]

    def with_predicates(self, predicates: Sequence[str], encoder: TextEncoder) -> OpenModel:
        """Return the model over other predicates, whether it saw them as labels or not.

        Args:
            predicates: Their names.
            encoder: That of the training.

        Raises:
            InputError: There is no name, or one stands twice.
        """
        if not predicates or len(set(predicates)) < len(predicates):
            raise InputError("predicates to score need at least one name, each once")
        vocabulary = Vocabulary(self.vocabulary.objects, tuple(predicates))
        known = {name: number for number, name in enumerate(self.vocabulary.predicates)}
        said = np.zeros((len(self.counts.said), len(predicates)))
        for column, name in enumerate(predicates):
            if name in known:
                said[:, column] = self.counts.said[:, known[name]]
        return OpenModel(
            vocabulary,
            replace(self.counts, said=said),
            self.config,
            described_names(predicates, encoder, self.config),
            class_affinities(vocabulary, encoder),
            self.networks,
        )

    def score(self, images: Sequence[AnnotatedImage]) -> list[Floats]:
        """Return log-probabilities; see `RelationModel`."""
        # their triplets may number the predicates of another vocabulary
        bare = [image.with_triplets(np.empty((0, 3), dtype=np.int64)) for image in images]
        pairs = pair_table(bare, predicates=len(self.vocabulary.predicates))
        return pairs.by_image(self.log_annotated(pairs)[:, None] + self.log_predicates(pairs))

    def log_annotated(self, pairs: PairTable) -> Floats:
        """Return ``(rows,)`` log-probability that each pair is annotated."""
        with torch.inference_mode():
            each = [one.log_annotated(_inputs(one, pairs)) for one in self.networks]
        return torch.stack(each).mean(dim=0).double().numpy()

    def log_predicates(self, pairs: PairTable) -> Floats:
        """Return ``(rows, predicates)`` log-probabilities, given that the pair has one."""
        names = torch.from_numpy(self.names)
        near = torch.from_numpy(
            self.config.affinity * self.affinities.T[pairs.labels].sum(axis=1)
        ).float()
        with torch.inference_mode():
            each = [
                (one(_inputs(one, pairs), names) + near).log_softmax(dim=1) for one in self.networks
            ]
        return torch.stack(each).mean(dim=0).double().numpy()

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all weights by name."""
        described = {"names": self.names, "affinities": self.affinities}
        return {**self.counts.arrays(), **described, **member_arrays(self.networks)}

    def settings(self) -> dict[str, Any]:
        """Return the configuration."""
        return asdict(self.config)

    @classmethod
    def restored(
        cls, vocabulary: Vocabulary, settings: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
    ) -> Self:
        """Make the model again; see `RelationModel`."""
        try:
            config, names = EpicConfig(**settings), arrays["names"]
            affinities = arrays["affinities"]
            networks = []
            for number in range(config.members):
                state = member_weights(arrays, number)
                network = PromptNetwork(state["classes"], state["scale"], names.shape[1], config)
                network.load_state_dict(state)
                networks.append(network.eval())
        except (KeyError, IndexError, TypeError, RuntimeError, SettingError) as error:
            raise InputError(f"the model's settings and arrays do not fit: {error}") from error
        if len(names) != len(vocabulary.predicates):
            raise InputError(f"{len(names)} names for {len(vocabulary.predicates)} predicates")
        if affinities.shape != (len(vocabulary.predicates), len(vocabulary.objects)):
            raise InputError("the model has affinities of other predicates or classes")
        counts = TripletCounts.from_arrays(arrays, vocabulary)
        return cls(vocabulary, counts, config, names, affinities, tuple(networks))


def _inputs(network: PromptNetwork, pairs: PairTable) -> torch.Tensor:
    return network.inputs(torch.from_numpy(pairs.labels), torch.from_numpy(pairs.geometry).float())

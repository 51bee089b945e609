"""A scene model: an image in, labelled parts and the relations between them out.

Trained on images with descriptions of the whole; see `scenes.labels` and `scenes.predicates` for
how. `scenes.graph` writes what it sees into a store.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from encoders.protocols import ImageEncoder
from kg.errors import ConflictError, ForeignFileError, InputError
from kg.progress import Progress, silent
from scenes.config import SceneConfig
from scenes.geometry import contradicts, exact_relations
from scenes.label_training import Example, train_labels
from scenes.labels import LabelModel
from scenes.lexicon import LABELS
from scenes.model import Pixels, Region, Relation, Scene
from scenes.model_file import read_model, version_of, write_model
from scenes.phrasing import DESCRIBED_PREDICATES
from scenes.predicates import PairSet, PairwiseModel, described_pairs, train_predicates
from scenes.prepared import Prepared, prepare_images
from scenes.splits import Part, stratified_split
from scenes.wording import Described, read_description

__all__ = ["SceneModel", "split_images"]

Floats = NDArray[np.float64]


def split_images(
    said: Mapping[str, Described],
    *,
    shares: tuple[float, float, float],
    tied: Sequence[Sequence[str]] = (),
    seed: int = 0,
) -> dict[str, Part]:
    """Split the images whose descriptions can be used, by their labels; ties stay together."""
    labels = {key: d.labels for key, d in said.items() if d.usable}
    return stratified_split(labels, shares=shares, tied=tied, seed=seed)


@dataclass(frozen=True, slots=True)
class SceneModel:
    """What takes images apart.

    Attributes:
        config: What it was trained with.
        labels: Tells labels.
        predicates: Tells predicates.
        encoder: The image encoder, if it was trained with one.
        encoder_fingerprint: Of the encoder that it was trained with.
        split: Which part of the split each training image was in.
    """

    config: SceneConfig
    labels: LabelModel
    predicates: PairwiseModel
    encoder: ImageEncoder | None
    encoder_fingerprint: str | None
    split: Mapping[str, Part]

    @property
    def version(self) -> str:
        """Name for provenance: equal for equal numbers and settings, else another."""
        return version_of(self._arrays(), self._settings())

    def _arrays(self) -> dict[str, Floats]:
        return self.labels.arrays() | self.predicates.arrays()

    def _settings(self) -> dict[str, object]:
        return {"config": self.config.to_json(), "encoder": self.encoder_fingerprint}

    @classmethod
    def train(
        cls,
        images: Mapping[str, Pixels],
        descriptions: Mapping[str, str],
        config: SceneConfig | None = None,
        *,
        encoder: ImageEncoder | None = None,
        tied: Sequence[Sequence[str]] = (),
        seed: int = 0,
        progress: Progress = silent,
    ) -> SceneModel:
        """Train on images of which many have a description.

        Train images teach, valid images calibrate, test images are not looked at.

        Args:
            images: By key.
            descriptions: By key of their image; others are ignored.
            config: How.
            encoder: An image encoder, whose patch vectors then count beside the shape.
            tied: Keys of images drawn alike; they stay in one part of the split.
            seed: Of the split, the drawings and the networks.
            progress: Told steps done: images prepared, then networks trained.

        Raises:
            InputError: No image has a description that names something.
        """
        config = config or SceneConfig()
        said = {k: read_description(t) for k, t in sorted(descriptions.items()) if k in images}
        split = split_images(said, shares=config.shares, tied=tied, seed=seed)
        keys = [key for key in sorted(split) if split[key] != "test"]
        if not keys:
            raise InputError("no image has a description that names a shape")
        networks = 2 + config.labels.rounds + config.labels.folds
        total = len(keys) + networks
        prepared = prepare_images((images[key] for key in keys), config.segment, encoder=encoder)
        examples = {}
        for key, p in zip(keys, prepared, strict=True):
            examples[key] = Example(
                regions=p.regions,
                descriptors=p.descriptors,
                described=said[key],
                patches=p.patches,
            )
            progress(len(examples), total)
        train = [examples[key] for key in keys if split[key] == "train"]
        labels, assignments = train_labels(
            train,
            [examples[key] for key in keys if split[key] == "valid"],
            config.labels,
            seed=seed,
            progress=lambda done, _: progress(len(keys) + done, total),
        )
        pairs = [
            described_pairs(example.described, example.regions, assignment)
            for example, assignment in zip(train, assignments, strict=True)
        ]
        predicates = train_predicates(pairs, config.predicates, seed=seed)
        progress(total, total)
        fingerprint = None if encoder is None else encoder.fingerprint
        return cls(config, labels, predicates, encoder, fingerprint, split)

    def save(self, folder: Path) -> None:
        """Write the model into a folder; its encoder is not kept, only its name."""
        write_model(folder, self._arrays(), self._settings() | {"split": dict(self.split)})

    @classmethod
    def load(cls, folder: Path, *, encoder: ImageEncoder | None = None) -> SceneModel:
        """Read what `save` wrote.

        Args:
            folder: The folder.
            encoder: The image encoder of the training, if there was one; without it the model
                loads but cannot parse.

        Raises:
            MissingPartError: There is no model.
            ForeignFileError: The files are not a scene model, or do not belong together.
            FormatVersionError: Of another format.
            ConflictError: The encoder is another.
        """
        arrays, settings = read_model(folder)
        try:
            model = cls(
                SceneConfig.from_json(settings["config"]),
                LabelModel.from_arrays(arrays),
                PairwiseModel.from_arrays(arrays),
                None,
                settings["encoder"],
                dict(settings["split"]),
            )
        except (InputError, KeyError, TypeError, ValueError) as error:
            raise ForeignFileError(
                f"not a whole scene model: {error}", where=str(folder), hint="train it again"
            ) from error
        return model if encoder is None else model.with_encoder(encoder)

    def with_encoder(self, encoder: ImageEncoder | None) -> SceneModel:
        """Return the model with an encoder to parse with.

        Raises:
            ConflictError: It was trained with another one.
        """
        given = None if encoder is None else encoder.fingerprint
        if given != self.encoder_fingerprint:
            raise ConflictError(
                f"the scene model was trained with the encoder {self.encoder_fingerprint}, "
                f"not with {given}",
                hint="use that encoder, or train the scene model again",
            )
        return replace(self, encoder=encoder)

    def parse(self, image: Pixels) -> Scene:
        """Take one image apart.

        Args:
            image: ``(height, width, 3)`` uint8.

        Raises:
            ImageError: It cannot be read or is too large.
            MissingPartError: The model was trained with an encoder and has none now.
        """
        return next(self.parse_all([image]))

    def parse_all(self, images: Iterable[Pixels]) -> Iterator[Scene]:
        """Take images apart while the next ones are encoded; the same as `parse` one by one."""
        prepared = prepare_images(images, self.config.segment, encoder=self.encoder)
        return map(self.read, prepared)

    def read(self, prepared: Prepared) -> Scene:
        """Label the regions of a prepared image and relate them."""
        opinion = self.labels.opinion(prepared.descriptors, prepared.patches)
        named = opinion.copy()
        named[:, LABELS.index("other")] = 0.0
        numbers = named.argmax(axis=1)
        probabilities = self.labels.calibrated(opinion)
        regions = []
        for position, region in enumerate(prepared.regions):
            number = int(numbers[position])
            probability = float(probabilities[position, number])
            told = (
                probability >= self.config.least_label
                and opinion[position, number] >= self.config.least_opinion
            )
            regions.append(
                replace(
                    region,
                    label=LABELS[number] if told else None,
                    label_probability=probability if told else 0.0,
                )
            )
        parts = self._related(regions)
        relations = (
            *exact_relations(tuple(regions), parts=parts),
            *self._predicted(regions, numbers.astype(np.int64), parts),
        )
        return Scene(
            width=prepared.width,
            height=prepared.height,
            regions=tuple(regions),
            relations=tuple(relations),
        )

    def _related(self, regions: Sequence[Region]) -> tuple[int, ...]:
        """Labelled, sizeable parts, largest first."""
        least = self.config.related_share
        fit = [
            position
            for position, region in enumerate(regions)
            if region.label is not None and region.area >= least * region.mask.size
        ]
        return tuple(fit[: self.config.related_parts])

    def _predicted(
        self, regions: Sequence[Region], numbers: NDArray[np.int64], parts: tuple[int, ...]
    ) -> list[Relation]:
        pairs = PairSet.of(regions, numbers, parts)
        if len(pairs.pairs) == 0:
            return []
        joint = self.predicates.joint(pairs)
        for row, (subject, other) in enumerate(pairs.pairs.tolist()):
            boxes = regions[subject].box_xyxy, regions[other].box_xyxy
            joint[row, [contradicts(name, *boxes) for name in DESCRIBED_PREDICATES]] = 0.0
        named = joint.sum(axis=1)
        given = joint / np.maximum(named, 1e-12)[:, None]
        best = given.argmax(axis=1)
        certain = given[np.arange(len(best)), best]
        keep = (named >= self.config.least_named) & (certain >= self.config.least_predicate)
        order = sorted(np.flatnonzero(keep).tolist(), key=lambda row: (-float(named[row]), row))
        return [
            Relation(
                subject=int(pairs.pairs[row, 0]),
                predicate=DESCRIBED_PREDICATES[int(best[row])],
                object=int(pairs.pairs[row, 1]),
                probability=float(certain[row]),
                exact=False,
            )
            for row in sorted(order[: self.config.most_relations])
        ]

"""The step that adds annotations of rare predicates to annotated images (CaCao), each checked."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.check_schemas import VoteOut
from kg.errors import InputError
from kg.progress import Progress, silent
from scenes.cacao.boosting import BoostingConfig
from scenes.cacao.checking import Believe
from scenes.cacao.config import PromptConfig

if TYPE_CHECKING:
    from collections.abc import Sequence

    from encoders.protocols import TextEncoder
    from scenes.cacao.checking import CheckedAddition
    from scenes.cacao.prompted_model import LanguageModel, PromptedModel
    from scenes.relations.annotations import AnnotatedImage, Vocabulary

__all__ = ["FOLLOWED", "LAYERS", "PROMPTS", "AnnotationBoost", "boost_annotations"]

LAYERS = 2
"""Of the packaged language model: all six cost three times as much."""

PROMPTS = PromptConfig(learning_rate=2e-3, epochs=(2, 1, 1), most=150)
"""The paper's schedule at a higher rate, since a predicate is seen so few times."""

FOLLOWED = 600
"""Held-out samples by which the learning rate is steered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotationBoost:
    """What is enlarged, and what is believed.

    Attributes:
        annotations: Images in the format of VRD, COCO, Visual Genome or Label Studio.
        vocabulary: Names of their classes and predicates.
        out: Gets the images with what is added, in VRD's format.
        open_annotations: Images whose predicates the language model learns instead, in any of the
            formats; they are mapped to those of `vocabulary`.
        open_vocabulary: Names of theirs; None for those that occur. VRD's format needs one.
        prompts: Folder of trained prompts; they are trained and kept there if it has none.
        believe: Which additions are taken.
        boosting: Where something may be added.
        training: Of the prompts.
        seed: Of the prompts and of the folds of the checks.
    """

    annotations: Path
    vocabulary: Path
    out: Path
    open_annotations: Path | None = None
    open_vocabulary: Path | None = None
    prompts: Path | None = None
    believe: Believe = "unrefuted"
    boosting: BoostingConfig = field(default_factory=BoostingConfig)
    training: PromptConfig = PROMPTS
    seed: int = 0


def boost_annotations(
    task: AnnotationBoost,
    *,
    language: LanguageModel,
    encoder: TextEncoder,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Write the enlarged images, and beside them what was not believed.

    Args:
        task: What to enlarge.
        language: Frozen masked language model.
        encoder: Of the predicates' names.
        progress: Told epochs of the prompts.

    Returns:
        Counts of ``images``, ``added``, of ``supported``, ``uncertain`` and ``refuted`` additions,
        of records ``rejected``, and ``predicates`` by what was taken; ``not_taken`` and the
        ``review_file`` that has each with both votes, as JSON Lines.

    Raises:
        RecordError: A file cannot be read; nothing was written.
        InputError: Nothing is annotated, or the kept prompts are of other predicates.
        ConflictError: They were trained for another language model.

    Example:
        >>> boost_annotations(task, language=MaskedLanguageModel(), encoder=encoder)
        ... # doctest: +SKIP
    """
    from evaluation.results import check_destination
    from scenes.cacao.boosting import boost
    from scenes.cacao.checking import believed, check_additions
    from scenes.exchange.formats import read_exchanged, write_exchanged
    from scenes.relations.annotations import read_vocabulary
    from scenes.relations.pairs import pair_table

    check_destination(task.out)
    vocabulary = read_vocabulary(task.vocabulary)
    read = read_exchanged(task.annotations, vocabulary)
    taught, names = _taught(task, read.images, vocabulary)
    teacher = _teacher(task, taught, names, language, encoder, progress)
    pairs = pair_table(read.images, predicates=len(vocabulary.predicates))
    mapping = None
    if task.open_annotations is not None:
        from scenes.cacao.mapping import map_predicates

        counts = pairs.said.sum(axis=0)
        mapping = map_predicates(names.predicates, vocabulary.predicates, counts, encoder)
    found = boost(
        read.images, pairs, pairs.geometry, teacher, mapping=mapping, config=task.boosting
    )
    checked = check_additions(
        read.images,
        pairs,
        found,
        vocabulary,
        config=task.boosting,
        seed=task.seed,
    )
    kept = believed(checked, task.believe)
    taken = found.only(kept, read.images, pairs)
    left = [one for one, is_kept in zip(checked, kept.tolist(), strict=True) if not is_kept]
    write_exchanged(taken.images, vocabulary, task.out, form="vrd")
    review = task.out.with_name(f"{task.out.name}.not-taken.jsonl")
    _write_review(left, review)
    outcomes = Counter(one.outcome for one in checked)
    by_predicate = Counter(vocabulary.predicates[p] for p in taken.predicates.tolist())
    return {
        "images": len(read.images),
        "added": len(taken.rows),
        **{name: outcomes[name] for name in ("supported", "uncertain", "refuted")},
        "rejected": len(read.rejects),
        "predicates": dict(by_predicate.most_common()),
        "not_taken": len(left),
        "review_file": str(review),
    }


def _taught(
    task: AnnotationBoost, images: Sequence[AnnotatedImage], vocabulary: Vocabulary
) -> tuple[Sequence[AnnotatedImage], Vocabulary]:
    """Return what the prompts learn from; of other images with the classes of both."""
    from scenes.exchange.formats import read_exchanged
    from scenes.relations.annotations import Vocabulary, read_vocabulary

    if task.open_annotations is None:
        return images, vocabulary
    given = None if task.open_vocabulary is None else read_vocabulary(task.open_vocabulary)
    read = read_exchanged(task.open_annotations, given)
    own = set(vocabulary.objects)
    more = tuple(name for name in read.vocabulary.objects if name not in own)
    names = Vocabulary((*vocabulary.objects, *more), read.vocabulary.predicates)
    return [image.renumbered(read.vocabulary, names) for image in read.images], names


def _teacher(
    task: AnnotationBoost,
    images: Sequence[AnnotatedImage],
    names: Vocabulary,
    language: LanguageModel,
    encoder: TextEncoder,
    progress: Progress,
) -> PromptedModel:
    """Read the kept prompts, or train them and keep them where a folder is named."""
    from scenes.cacao.checkpoint import load_prompts, save_prompts
    from scenes.cacao.training import Samples, train_prompts
    from scenes.relations.annotations import held_out_part

    if task.prompts is not None and task.prompts.exists():
        kept = load_prompts(task.prompts, language)
        if kept.vocabulary != names:
            raise InputError(
                "the kept prompts are of other classes or predicates",
                where=str(task.prompts),
                hint="name another folder, or remove this one",
            )
        return kept
    rest, held_out = held_out_part(images)
    model = train_prompts(
        Samples.of_images(rest, names),
        Samples.of_images(held_out, names, most=FOLLOWED, seed=task.seed),
        language=language,
        names=encoder,
        vocabulary=names,
        config=task.training,
        seed=task.seed,
        progress=progress,
    )
    if task.prompts is not None:
        save_prompts(model, task.prompts)
    return model


def _write_review(left: Sequence[CheckedAddition], path: Path) -> None:
    """Write the additions that were not taken, with what was found of them."""
    from kg.files import atomic_write

    with atomic_write(path) as file:
        for one in left:
            votes = [VoteOut.of(vote).model_dump(mode="json") for vote in one.verdict.votes]
            row = asdict(one) | {"verdict": one.outcome, "votes": votes}
            file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")

"""The step that trains linking by pictures on files and judges it on others: JSON and units."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from evaluation.machine import Measurement
from evaluation.results import RunResult, check_destination
from evaluation.units import Units, units_path
from kg.errors import InputError
from kg.files import sha256_of_file
from kg.progress import Progress, silent

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from encoders.protocols import ImageEncoder, TextEncoder
    from linkers.mention_sets import MentionSet
    from linkers.visual import Looks, PictureMatcher, VisualBase, VisualConfig, VisualMentions

__all__ = ["PictureEvaluation", "PictureTrial", "evaluate_pictures"]

PROTOCOL = "link"


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureEvaluation:
    """What is evaluated. Pictures are ``FILE.npz:ARRAY`` or a folder.

    Attributes:
        mentions: Mentions to judge: those of `split`, or all of a file without splits.
        entities: The base.
        mention_images: Of the rows of `mentions`.
        entity_images: Of the rows of `entities`.
        train: Mentions to learn from; the train split of `mentions` if None, nothing without one.
        train_images: Of the rows of `train`; `mention_images` if None and `train` is None.
        split: Which split is judged.
        words: Whether words are looked at, too.
        cache: Folder that keeps the vectors of texts; None keeps nothing.
        save: Folder for the trained matcher; None keeps it not.
    """

    mentions: Path
    entities: Path
    mention_images: str
    entity_images: str
    train: Path | None = None
    train_images: str | None = None
    split: str = "test"
    words: bool = True
    cache: Path | None = None
    save: Path | None = None


class PictureTrial:
    """One set of files, read and encoded once; matchers of several settings are tried on it.

    Args:
        task: What is evaluated.
        images: Encodes pictures.
        texts: Encodes texts.
        progress: Told pictures encoded.
        warn: Told what looks wrong with the files but is no error.

    Raises:
        InputError: A file cannot be read, or holds no mention to judge.
    """

    def __init__(
        self,
        task: PictureEvaluation,
        images: ImageEncoder,
        texts: TextEncoder,
        *,
        progress: Progress = silent,
        warn: Callable[[str], None] = lambda _text: None,
    ) -> None:
        from linkers.boosted.texts import PooledTexts
        from linkers.mention_sets import (
            MentionSet,
            oddities,
            read_entity_table,
            read_mention_set,
        )
        from linkers.visual import VisualBase, WordIndex

        self.task, self.clock = task, Measurement.start()
        self.encoders = f"{images.fingerprint} {texts.fingerprint}"
        self.table = read_entity_table(task.entities)
        self._images, self._progress, self._warn = images, progress, warn
        whole = read_mention_set(task.mentions, wordless=True)
        whole.judged(task.split, where=task.mentions)  # refused before pictures are encoded
        for text in oddities(whole, task.split):
            warn(text)
        self.test, self.gold = self._chosen(task.mentions, whole, task.mention_images, task.split)
        if task.train is not None and task.train_images is None:
            raise InputError(
                "training mentions of another file have pictures of their own",
                where=str(task.train),
                hint="--train-images",
            )
        own = whole if any(whole.splits) else MentionSet()
        learnt = own
        if task.train is not None:
            learnt = read_mention_set(task.train, wordless=True)
            learnt.judged("train", where=task.train)
        self.train, self.train_gold = self._chosen(
            task.train or task.mentions, learnt, task.train_images or task.mention_images, "train"
        )
        if (absent := int((self.gold < 0).sum())) and absent < len(self.gold):
            warn(f"{absent} of {len(self.gold)} mentions have no entity in the base: left out")
        if not len(self.train_gold):
            warn("no training mentions: likenesses are added up, and no probability is said")
        self.base: VisualBase = VisualBase(
            looks=self._entity_looks(),
            words=WordIndex(self.table, PooledTexts(texts, task.cache)),
        )
        self.inputs = self._inputs()

    def fit(self, config: VisualConfig | None = None, *, seed: int = 0) -> PictureMatcher:
        """Return a matcher trained on the training mentions; an untrained one if there are none."""
        from linkers.visual import PictureMatcher

        if not len(self.train_gold):
            return PictureMatcher.untrained(self.base, config=config)
        return PictureMatcher.fit(self.base, self.train, self.train_gold, config=config, seed=seed)

    def judge(
        self, matcher: PictureMatcher, *, seed: int = 0, command: str
    ) -> tuple[RunResult, Units]:
        """Return the figures of a matcher, and hits and reciprocal ranks of each mention."""
        import numpy as np

        from linkers.visual.figures import figures_of

        inside = self.gold >= 0
        if not inside.any():
            raise InputError(
                "no mention's entity is in the file of entities", hint="are these files of one set?"
            )
        rows = np.flatnonzero(inside)
        figures = figures_of(
            matcher,
            self.base,
            self.test.take(rows),
            self.gold[rows],
            known=self.train_gold,
            probable=len(self.train_gold) > 0,
        )
        result = RunResult.measured(
            self.clock,
            command=command,
            seed=seed,
            protocol=PROTOCOL,
            inputs=self.inputs,
            n=len(rows),
            metrics=figures.metrics,
            by=figures.by,
        )
        return result, Units(values=figures.units)

    def _chosen(
        self, path: Path, mentions: MentionSet, images: str, split: str
    ) -> tuple[VisualMentions, NDArray[np.int64]]:
        """Return the mentions of a split with their pictures, and their entities."""
        import numpy as np

        from linkers.visual import VisualMentions

        marked = any(mentions.splits)
        kept = [n for n, name in enumerate(mentions.splits) if name == split or not marked]
        part = mentions.only(kept)
        gold = np.array(
            [-1 if key is None else self.table.ids.get(key, -1) for key in part.gold],
            dtype=np.int64,
        )
        told = part.mentions
        if not self.task.words:
            from dataclasses import replace

            told = tuple(
                replace(mention, surface="", context="", start=None, end=None) for mention in told
            )
        return VisualMentions(looks=self._looks(path, images, kept), mentions=told), gold

    def _entity_looks(self) -> Looks:
        """Return the pictures of the table's entities; of several rows the first with one."""
        import numpy as np

        from linkers.visual.sources import entity_rows

        numbers = [rows for _, rows in sorted(entity_rows(self.task.entities).items())]
        every = sorted(row for rows in numbers for row in rows)
        looks = self._looks(self.task.entities, self.task.entity_images, every)
        shown = [next((r for r in rows if looks.present[r]), rows[0]) for rows in numbers]
        taken: Looks = looks.take(np.array(shown, dtype=np.int64))
        return taken

    def _looks(self, path: Path, images: str, kept: list[int]) -> Looks:
        from linkers.visual import look_at
        from linkers.visual.sources import picture_rows, picture_source

        rows = picture_rows(path)
        source = picture_source(images, rows=len(rows))
        looks: Looks = look_at(
            (source(rows[number]) for number in kept),
            self._images,
            count=len(kept),
            progress=self._progress,
        )
        if absent := len(kept) - int(looks.present.sum()):
            self._warn(
                f"{absent} of {len(kept)} rows of {path.name} have no picture in {images}: a "
                "folder's files are named after a row's image, id or entity_id"
            )
        return looks

    def _inputs(self) -> dict[str, str]:
        task = self.task
        files = {"mentions": task.mentions, "entities": task.entities, "train": task.train}
        found = {role: sha256_of_file(path) for role, path in files.items() if path is not None}
        given = {
            "mention_images": task.mention_images,
            "entity_images": task.entity_images,
            "train_images": task.train_images,
        }
        for role, images in given.items():
            if images is not None:
                found[role] = hashlib.sha256(_mark(images).encode()).hexdigest()
        return found | {"encoder": hashlib.sha256(self.encoders.encode()).hexdigest()}


def _mark(images: str) -> str:
    """Return what tells the pictures of an option from others."""
    folder = Path(images)
    if folder.is_dir():
        files = sorted(file for file in folder.iterdir() if file.is_file())
        return "\n".join(f"{file.name} {sha256_of_file(file)}" for file in files)
    file, _, array = images.rpartition(":")
    return f"{array} {sha256_of_file(Path(file or images))}"


def evaluate_pictures(
    task: PictureEvaluation,
    *,
    images: ImageEncoder,
    texts: TextEncoder,
    out: Path,
    config: VisualConfig | None = None,
    seed: int = 0,
    command: str = "umbra link evaluate",
    progress: Progress = silent,
    warn: Callable[[str], None] = lambda _text: None,
) -> RunResult:
    """Judge linking by pictures on files and write what was found.

    Args:
        task: What to evaluate.
        images: Encodes pictures.
        texts: Encodes texts.
        out: Result file; its units lie beside it.
        config: Settings of the matcher.
        seed: Of the folds by which weights are learnt.
        command: Command line that makes it again.
        progress: Told pictures encoded.
        warn: Told what looks wrong with the files but is no error.

    Raises:
        InputError: A file cannot be read, or nothing can be learnt or judged.
    """
    from linkers.visual import save_matcher

    check_destination(out)
    trial = PictureTrial(task, images, texts, progress=progress, warn=warn)
    matcher = trial.fit(config, seed=seed)
    result, units = trial.judge(matcher, seed=seed, command=command)
    if task.save is not None:
        save_matcher(matcher, task.save, encoders=trial.encoders)
    units.save(units_path(out), inputs=result.inputs)
    result.save(out)
    return result

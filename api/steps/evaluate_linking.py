"""The step that trains a linker on files of mentions and judges it on others: JSON and units."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from evaluation.machine import Measurement
from evaluation.results import RunResult, check_destination
from evaluation.units import Units, units_path
from kg.errors import InputError, SettingError
from kg.files import sha256_of_file
from kg.progress import Progress, silent

if TYPE_CHECKING:
    from encoders.protocols import TextEncoder
    from linkers.boosted.entity_table import EntityTable
    from linkers.boosted.linker import BoostedLinker, Ranked
    from linkers.boosted.ranker import RankerConfig
    from linkers.boosted.training import Material
    from linkers.mention_sets import MentionSet

__all__ = ["LinkEvaluation", "LinkTrial", "evaluate_linking"]

PROTOCOL = "link"
NIL_PROTOCOL = "link-nil"
"""Where entities are withheld: figures of another base are not comparable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkEvaluation:
    """What is evaluated.

    Attributes:
        mentions: Mentions to judge: those of `split`, or all of a file without splits.
        entities: The base.
        train: Mentions to learn from; the train split of `mentions` if None.
        valid: Mentions to calibrate by; the valid split of `mentions` if None.
        split: Which split is judged.
        withhold: Share of the entities taken out of the base, in [0, 1): their mentions are NIL.
        withhold_seed: Which entities these are.
        cache: Folder that keeps the encoder's vectors; None keeps nothing.
        save: Folder for the trained linker; None keeps it not.

    Raises:
        SettingError: A number is out of range.
    """

    mentions: Path
    entities: Path
    train: Path | None = None
    valid: Path | None = None
    split: str = "test"
    withhold: float = 0.0
    withhold_seed: int = 0
    cache: Path | None = None
    save: Path | None = None

    def __post_init__(self) -> None:
        """Refuse values outside their range."""
        if not 0 <= self.withhold < 1:
            raise SettingError(f"must lie in [0, 1), got {self.withhold}", where="withhold")


class LinkTrial:
    """One set of files, read and described once; rankers of several settings are tried on it.

    Args:
        task: What is evaluated.
        encoder: Encodes texts.
        progress: Told mentions described.
        warn: Told what looks wrong with the files but is no error.

    Raises:
        InputError: A file cannot be read, or holds no mention to judge; the line is named.
    """

    def __init__(
        self,
        task: LinkEvaluation,
        encoder: TextEncoder,
        *,
        progress: Progress = silent,
        warn: Callable[[str], None] = lambda _text: None,
    ) -> None:
        from linkers.boosted.describing import Described, describe
        from linkers.boosted.texts import PooledTexts
        from linkers.boosted.training import gather
        from linkers.mention_sets import MentionSet, read_entity_table

        self.task = task
        self.clock = Measurement.start()
        whole = read_entity_table(task.entities)
        self.table = _withheld(whole, task)
        test, self.train, valid = _sets(task, warn)
        self.test = test
        for text in _oddities(whole, test, self.train):
            warn(text)
        if not any(key in self.table.ids for key in self.train.gold if key is not None):
            self.train = MentionSet()
            warn("no training mention has its entity in the base: likenesses are added up")
        self.material: Material = gather(
            self.table,
            PooledTexts(encoder, task.cache),
            (self.train.mentions, self.train.gold),
            (valid.mentions, valid.gold),
            progress=progress,
        )
        parts = describe(
            self.material.index, self.material.memory, test.mentions, progress=progress
        )
        self.described = Described.joined(list(parts))
        self.inputs = {
            role: sha256_of_file(path)
            for role, path in (
                ("mentions", task.mentions),
                ("entities", task.entities),
                ("train", task.train),
                ("valid", task.valid),
            )
            if path is not None
        } | {"encoder": hashlib.sha256(encoder.fingerprint.encode()).hexdigest()}

    def run(
        self, *, config: RankerConfig | None = None, seed: int = 0, command: str
    ) -> tuple[RunResult, Units]:
        """Train a ranker and judge it.

        Args:
            config: Settings.
            seed: Of everything random.
            command: Command line that makes it again.

        Returns:
            The result, and hits and reciprocal ranks of each mention.
        """
        return self.judge(self.fit(config, seed=seed), seed=seed, command=command)

    def fit(
        self, config: RankerConfig | None = None, *, seed: int = 0, progress: Progress = silent
    ) -> BoostedLinker:
        """Return a linker trained on the training mentions; progress is told rankers trained."""
        from linkers.boosted.linker import BoostedLinker
        from linkers.boosted.training import train_ranker

        ranker, verdict = train_ranker(self.material, config=config, seed=seed, progress=progress)
        return BoostedLinker(self.material.index, self.material.memory, ranker, verdict)

    def judge(self, linker: BoostedLinker, *, seed: int, command: str) -> tuple[RunResult, Units]:
        """Return the figures of a linker that was trained here; see `run`."""
        import numpy as np

        from linkers.boosted.figures import figures_of, groups_of

        ranked: Ranked = linker.judge(self.described)
        gold = np.array(
            [-1 if key is None else self.table.ids.get(key, -1) for key in self.test.gold]
        )
        if (gold < 0).all() and any(key is not None for key in self.test.gold):
            raise InputError(
                "no mention's entity is in the file of entities", hint="are these files of one set?"
            )
        groups = groups_of(self.table, self.test.mentions, gold, self.train.gold)
        figures = figures_of(ranked, gold, size=len(self.table), groups=groups)
        result = RunResult.measured(
            self.clock,
            command=command,
            seed=seed,
            protocol=NIL_PROTOCOL if self.task.withhold else PROTOCOL,
            inputs=self.inputs,
            n=figures.n,
            metrics=figures.metrics,
            by=figures.by,
        )
        inside = gold >= 0
        rows: Mapping[str, object] = {"all": inside, **{f"group={n}": m for n, m in groups.items()}}
        values = {}
        for name, mask in rows.items():
            found = figures.ranks[np.asarray(mask)]
            if len(found):
                values[f"{name} hits_at_1"] = (found <= 1).astype(np.float64)
                values[f"{name} mrr"] = 1.0 / found
        return result, Units(values=values)


def _oddities(base: EntityTable, test: MentionSet, train: MentionSet) -> Iterator[str]:
    """Yield what a user should know of files that do not fit each other well."""
    for what, part in (("mentions", test), ("training mentions", train)):
        absent = sum(key is not None and key not in base.ids for key in part.gold)
        if absent:
            yield f"{absent} of {len(part)} {what} name an entity that the base lacks: NIL"


def evaluate_linking(
    task: LinkEvaluation,
    *,
    encoder: TextEncoder,
    out: Path,
    config: RankerConfig | None = None,
    seed: int = 0,
    command: str = "umbra link evaluate",
    bars: Callable[[str, str], Progress] = lambda _title, _unit: silent,
    warn: Callable[[str], None] = lambda _text: None,
) -> RunResult:
    """Judge a linker on files and write what was found.

    Args:
        task: What to evaluate.
        encoder: Encodes texts.
        out: Result file; its units lie beside it.
        config: Settings of the ranker.
        seed: Of everything random.
        command: Command line that makes it again.
        bars: Opens a progress bar for the mentions, and for the training.
        warn: Told what looks wrong with the files but is no error.

    Raises:
        InputError: A file cannot be read, or nothing can be learnt or judged.
    """
    from linkers.boosted.checkpoint import save_linker

    check_destination(out)
    trial = LinkTrial(task, encoder, progress=bars("describing", "mentions"), warn=warn)
    linker = trial.fit(config, seed=seed, progress=bars("training", "rankers"))
    result, units = trial.judge(linker, seed=seed, command=command)
    if task.save is not None:
        save_linker(linker, task.save)
    units.save(units_path(out), inputs=result.inputs)
    result.save(out)
    return result


def _sets(
    task: LinkEvaluation, warn: Callable[[str], None]
) -> tuple[MentionSet, MentionSet, MentionSet]:
    """Return the mentions to judge, to learn from, and to calibrate by."""
    from linkers.mention_sets import MentionSet, oddities, read_mention_set

    whole = read_mention_set(task.mentions)
    test = whole.judged(task.split, where=task.mentions)
    for text in oddities(whole, task.split):
        warn(text)
    own = whole if any(whole.splits) else MentionSet()

    def part(split: str, file: Path | None) -> MentionSet:
        return own.part(split) if file is None else read_mention_set(file).judged(split, where=file)

    return test, part("train", task.train), part("valid", task.valid)


def _withheld(table: EntityTable, task: LinkEvaluation) -> EntityTable:
    """Return the base without a share of its entities, by the split rule on their keys."""
    if not task.withhold:
        return table
    mark = f"{task.withhold_seed}:" if task.withhold_seed else ""
    gone = [
        key
        for key in table.keys
        if int(hashlib.sha256(f"{mark}{key}".encode()).hexdigest()[:8], 16) / 2**32 < task.withhold
    ]
    return table.without(gone)

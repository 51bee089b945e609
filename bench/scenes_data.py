"""What the benches of relations share: the VRD set, its figures, means over seeds."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation import (
    Measurement,
    standard_error,
)
from evaluation.results import RunResult
from kg.files import atomic_write, sha256_of_file
from scenes.metrics import ScoredImage, recall, triplet_ranks
from scenes.relations.annotations import (
    AnnotatedImage,
    Vocabulary,
    held_out_part,
    read_annotations,
    read_vocabulary,
)
from scenes.relations.counts import TripletCounts
from scenes.relations.matching import scored_image

__all__ = [
    "Seeds", "Told", "Vrd", "command_of", "gained", "header", "keep", "measured", "parser_of",
    "per_cent", "recall_figures", "seeded",
]  # fmt: skip

Seeds = range
_FILES = {"train": "train.jsonl.gz", "test": "test.jsonl.gz", "vocabulary": "vocabulary.json"}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Vrd:
    """Images to learn from and images to be judged on.

    Attributes:
        vocabulary: Names of classes and predicates.
        train: What may be learnt from.
        judged: The test images, or while choices are made the held-out tenth of train.
        inputs: Hashes of the files.
    """

    vocabulary: Vocabulary
    train: tuple[AnnotatedImage, ...]
    judged: tuple[AnnotatedImage, ...]
    inputs: Mapping[str, str]

    @classmethod
    def read(cls, folder: Path, *, valid: bool = False) -> Vrd:
        """Read the set.

        Args:
            folder: Holds train, test and vocabulary.
            valid: Whether the held-out tenth of train is judged and left out of train.
        """
        vocabulary = read_vocabulary(folder / _FILES["vocabulary"])
        train = read_annotations(folder / _FILES["train"], vocabulary)
        if valid:
            train, judged = held_out_part(train)
        else:
            judged = read_annotations(folder / _FILES["test"], vocabulary)
        inputs = {role: sha256_of_file(folder / name) for role, name in _FILES.items()}
        return cls(vocabulary=vocabulary, train=train, judged=judged, inputs=inputs)


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """What was said of images, as a scorer of these and no others.

    Attributes:
        vocabulary: Theirs.
        counts: Of the training images.
        scores: ``(pairs, predicates)`` by the image's name.
    """

    vocabulary: Vocabulary
    counts: TripletCounts
    scores: Mapping[str, NDArray[np.float64]]

    def score(self, images: Sequence[AnnotatedImage]) -> list[NDArray[np.float64]]:
        """Return what was said of each image."""
        return [self.scores[image.name] for image in images]


def recall_figures(scores: Sequence[NDArray[np.float64]], data: Vrd) -> dict[str, float]:
    """Return R@50 and mR@50 of PredCls, one predicate a pair.

    Args:
        scores: Of each judged image.
        data: The set.
    """
    images: list[ScoredImage] = [
        scored_image(image, one, protocol="predcls")
        for image, one in zip(data.judged, scores, strict=True)
    ]
    found = recall(triplet_ranks(images, constrained=True), 50)
    return {"recall_at_50": found.recall, "mean_recall_at_50": found.mean_recall}


def seeded(runs: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the mean of each figure over runs, and as ``…_error`` its standard error."""
    found: dict[str, float] = {}
    for key in runs[0]:
        values = [run[key] for run in runs]
        found[key] = float(np.mean(values))
        found[f"{key}_error"] = standard_error(values)
    return found


def gained(result: RunResult, ours: str, other: str) -> dict[str, float]:
    """Return what one method has over another, run by run: means and standard errors.

    Args:
        result: Its runs are called ``NAME seed N``.
        ours: Name of one method.
        other: Name of the other.
    """
    runs = result.by["run"]
    named = {name.removeprefix(f"{ours} "): run for name, run in runs.items()}
    seeds = [seed for seed in named if f"{other} {seed}" in runs and f"{ours} {seed}" in runs]
    return seeded(
        [
            {key: value - runs[f"{other} {seed}"][key] for key, value in named[seed].items()}
            for seed in seeds
        ]
    )


def per_cent(row: Mapping[str, float], key: str, *, signed: bool = False) -> str:
    """Return a figure with its standard error; a difference is bold where it is beyond two."""
    error = row.get(f"{key}_error", 0.0)
    text = f"{100 * row[key]:{'+' if signed else ''}.1f}"
    if error < 1e-9:  # nothing random: there is no error to be beyond
        return text
    text += f" ± {100 * error:.1f}"
    return f"**{text}**" if signed and abs(row[key]) > 2 * error else text


def command_of(module: str, given: argparse.Namespace, *options: str) -> str:
    """Return the command that makes a result again, without folders of this machine."""
    said = " ".join(f"--{name.replace('_', '-')} {getattr(given, name)}" for name in options)
    return f"python -m {module} VRD {said}" + (" --valid" if given.valid else "")


def parser_of(description: str, *, seeds: int) -> argparse.ArgumentParser:
    """Return a parser of what every bench asks: the set, where results go, and how many seeds.

    Args:
        description: The module's docstring.
        seeds: If none are given.
    """
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("vrd", type=Path, help="folder with train, test and vocabulary")
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks"))
    parser.add_argument("--valid", action="store_true", help="judge the held-out tenth of train")
    parser.add_argument("--seeds", type=int, default=seeds)
    return parser


def keep(result: RunResult, text: str, stem: str, given: argparse.Namespace) -> None:
    """Print a page; unless only the held-out tenth was judged, write it and its result."""
    if not given.valid:
        result.save(given.out / f"{stem}.json")
        with atomic_write(given.out / f"{stem}.md") as file:
            file.write(text.encode())
    print(text)


def measured(
    clock: Measurement,
    data: Vrd,
    *,
    command: str,
    protocol: str,
    seeds: Seeds,
    n: int,
    **parts: Any,
) -> RunResult:
    """Return a result with what is the same in every bench filled in.

    Args:
        clock: Started with the run.
        data: Whose hashes are noted.
        command: That makes the result again.
        protocol: Of the evaluation.
        seeds: Of the run.
        n: Units.
        parts: `metrics` and `by`.
    """
    return RunResult.measured(
        clock,
        command=command,
        seed=seeds[0],
        protocol=protocol,
        inputs=data.inputs,
        n=n,
        **parts,
    )


def header(result: RunResult) -> str:
    """Return the line that says where a page comes from."""
    return (
        f"Written by `{result.command}`, commit {result.commit}, {result.date}, "
        f"{result.machine.cores} cores, {result.machine.memory_gb:.0f} GB, no GPU. VRD, PredCls; "
        "choices were made on the held-out tenth of train, test was read once. Per cent.\n"
    )

"""Which flag is meant by its description, when all that is known of a flag are sentences on it.

Question: does a sentence say more of a picture when it names the block that holds a thing, as in
Position-guided Text Prompt (Wang et al. 2023)? Each flag of an artist becomes text by
`scenes.position_prompts.describe`, labels by a model that has learnt from drawings only and has
seen no flag; the text is encoded by the packaged MiniLM, which is trained on nothing here, and
compared with the Factbook's descriptions, names of countries masked. Rivals: the same sentences
without blocks, and colours only. Nothing is tuned, so there is no split. Command: ``python -m
bench.position_prompts --out docs/benchmarks`` (three minutes of one core). Writes
``scenes-position-prompts.json`` and ``.md``.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.flags.gold import POINTS_ELSEWHERE
from bench.flags.pictures import ARTISTS, descriptions, pictures, tied
from encoders.protocols import TextEncoder
from encoders.text import packaged_text_encoder
from evaluation import Difference, Measurement, RunResult, paired_bootstrap, ranks, standard_error
from kg.files import atomic_write, write_json
from scenes.grounding.model import GroundingModel
from scenes.lexicon import LABELS
from scenes.model import Pixels, Region
from scenes.position_prompts import describe
from scenes.regions import segment

__all__ = [
    "MARGIN",
    "METHODS",
    "gains_of",
    "judge",
    "main",
    "page",
    "result_of",
    "told_by",
    "without_names",
]

MARGIN = 0.02
"""Of the mean reciprocal rank that blocks must win by to become the default."""

Floats = NDArray[np.float64]


def _colours(regions: Sequence[Region]) -> list[str]:
    return list(dict.fromkeys(region.colour for region in regions))


METHODS: Mapping[str, Callable[[Sequence[Region]], list[str]]] = {
    "blocks": describe,
    "block_numbers": lambda regions: describe(regions, words=False),
    "no_blocks": lambda regions: describe(regions, blocks=False),
    "colours": _colours,
}
"""How regions, largest first, become sentences."""


def told_by(model: GroundingModel, image: Pixels) -> list[Region]:
    """Return the regions of an image, largest first, each with its likeliest label."""
    regions = segment(image)
    if not regions:
        return []
    best = model.opinion(regions).argmax(axis=1).tolist()
    return [
        replace(region, label=LABELS[label]) for region, label in zip(regions, best, strict=True)
    ]


def without_names(text: str, names: Sequence[str]) -> str:
    """Return a text with each of the names, longest first, as "the country".

    Example:
        >>> without_names("the arms of New Guinea", ["Guinea", "New Guinea"])
        'the arms of the country'
    """
    longest = sorted(names, key=lambda name: (-len(name), name))
    words = "|".join(re.escape(name) for name in longest)
    return re.sub(rf"(?<!\w)(?:{words})(?!\w)", "the country", text)


def judge(
    encoder: TextEncoder,
    asked: Mapping[str, str],
    regions: Mapping[str, Sequence[Region]],
    alike: Sequence[Sequence[str]],
) -> dict[str, Floats]:
    """Rank all flags for each description, by every method.

    Args:
        encoder: Of both sides.
        asked: Descriptions by code.
        regions: Of every flag by code.
        alike: Flags drawn alike: one answer, at the best score of them.

    Returns:
        ``(descriptions,)`` ranks by method; equal scores share the mean of their ranks.
    """
    answer_of = {key: key for key in regions} | {key: ones[0] for ones in alike for key in ones}
    answers = sorted(set(answer_of.values()))
    column = {answer: number for number, answer in enumerate(answers)}
    members = np.array([column[answer_of[key]] for key in regions])
    questions = encoder.encode(list(asked.values())).pooled.astype(np.float64)
    targets = [column[answer_of[key]] for key in asked]
    found = {}
    for name, tell in METHODS.items():
        texts = [". ".join(tell(of)) for of in regions.values()]
        scores = questions @ encoder.encode(texts).pooled.astype(np.float64).T
        best = np.full((len(asked), len(answers)), -np.inf)
        for flag, answer in enumerate(members):
            best[:, answer] = np.maximum(best[:, answer], scores[:, flag])
        found[name] = ranks(best, targets).realistic.astype(np.float64)
    return found


def result_of(
    found: Mapping[str, Mapping[str, Floats]], *, clock: Measurement, seed: int
) -> RunResult:
    """Return MRR and recalls by artist and method.

    Args:
        found: Ranks by artist and method, all of the same descriptions.
        clock: Started at the beginning.
        seed: Of the model.
    """
    by: dict[str, dict[str, dict[str, float]]] = {}
    for artist, methods in found.items():
        rows = {name: _row(ranked) for name, ranked in methods.items()}
        by[artist.replace("-", "_")] = rows
    reciprocal = _reciprocal(found)
    return RunResult.measured(
        clock,
        command=f"python -m bench.position_prompts --seed {seed}",
        seed=seed,
        protocol="scenes-position-prompts",
        n=len(reciprocal["blocks"]),
        metrics={f"mrr_{name}": float(values.mean()) for name, values in reciprocal.items()},
        by=by,
    )


def _reciprocal(found: Mapping[str, Mapping[str, Floats]]) -> dict[str, Floats]:
    """Return the reciprocal rank of each description by method, mean over the artists."""
    return {
        name: np.mean([1 / methods[name] for methods in found.values()], axis=0) for name in METHODS
    }


def gains_of(found: Mapping[str, Mapping[str, Floats]], *, seed: int) -> dict[str, Difference]:
    """Return what blocks win over each rival in MRR, paired over descriptions."""
    values = _reciprocal(found)
    return {
        other: paired_bootstrap(values["blocks"], values[other], seed=seed)
        for other in METHODS
        if other != "blocks"
    }


def _row(ranked: Floats) -> dict[str, float]:
    return {
        "n": len(ranked),
        "mrr": float((1 / ranked).mean()),
        "standard_error": standard_error(1 / ranked),
        "recall_at_1": float((ranked <= 1).mean()),
        "recall_at_5": float((ranked <= 5).mean()),
    }


def page(result: RunResult, gains: Mapping[str, Difference]) -> str:
    """Return the page of a result; every figure comes from it and from `gains_of`."""
    lines = [
        "# Flags by sentences on what stands where\n",
        (
            f"Written by `{result.command}`, commit {result.commit}, {result.date}, "
            f"{result.machine.cores} cores, no GPU, seed {result.seed}, "
            f"{result.seconds:.0f} s.\n"
        ),
        (
            "A flag becomes text: its regions, largest first, each with label, colour and the "
            'block of a 3 × 3 grid that holds its centre ("upper left has a white star"). Labels '
            "come from a model that has learnt from drawn flags only. The text is encoded by the "
            "packaged MiniLM and compared with the Factbook's description of each flag, names of "
            f"countries masked, among all 250 flags; {result.n} descriptions (texts that only "
            "point to another flag are left out). Flags drawn alike are one answer; equal scores "
            "share the mean of their ranks. Nothing is trained or tuned for this.\n"
        ),
    ]
    for artist in ARTISTS:
        lines += [
            f"## Flags of {artist}\n",
            "| sentences | MRR | ± | R@1 | R@5 |\n|---|---:|---:|---:|---:|",
        ]
        keys = ("mrr", "standard_error", "recall_at_1", "recall_at_5")
        for name, row in result.by[artist.replace("-", "_")].items():
            cells = " | ".join(f"{row[key]:.3f}" for key in keys)
            lines.append(f"| {_TITLES[name]} | {cells} |")
        lines.append("")
    lines += [
        "## What blocks are worth\n",
        (
            "MRR, mean over the two artists, paired over descriptions (2,000 draws, 95 %).\n\n"
            "| | gain | from | to |\n|---|---:|---:|---:|"
        ),
    ]
    for other, gain in gains.items():
        figures = f"{gain.mean:+.3f} | {gain.low:+.3f} | {gain.high:+.3f}"
        lines.append(f"| over {_TITLES[other]} | {figures} |")
    lines += ["", _verdict(gains), "", _NOT_BUILT]
    return "\n".join(lines) + "\n"


_TITLES = {
    "blocks": "with blocks, in words",
    "block_numbers": "with blocks, by number as in PTP",
    "no_blocks": "without blocks",
    "colours": "colours only",
}
_NOT_BUILT = (
    "The second use of PTP, a head that predicts the label of a block and the block of a label as "
    "features of the predicate model, is not built: a predicate model has the boxes themselves, "
    "which say more than nine blocks."
)


def _verdict(gains: Mapping[str, Difference]) -> str:
    rule = f"Rule: blocks are the default when MRR wins by at least {MARGIN} beyond the interval."
    gain = gains["no_blocks"]
    if gain.mean >= MARGIN and gain.is_better:
        return f"{rule} They do."
    return f"{rule} They do not, so they stay a function to call: `scenes.position_prompts`."


def main(argv: Sequence[str] | None = None) -> int:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("examples/countries"))
    parser.add_argument("--most", type=int, help="flags to take, for a first look")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks"))
    given = parser.parse_args(argv)
    clock = Measurement.start()
    names = _names(given.data)
    model = GroundingModel.from_drawings(seed=given.seed)
    encoder = packaged_text_encoder()
    found = {}
    for artist in ARTISTS:
        images = dict(sorted(pictures(given.data, artist).items())[: given.most])
        asked = {
            key: without_names(text, names)
            for key, text in sorted(descriptions(given.data).items())
            if key in images and not POINTS_ELSEWHERE.match(text.lower())
        }
        regions = {key: told_by(model, image) for key, image in images.items()}
        found[artist] = judge(encoder, asked, regions, _alike(given.data, regions))
        print(f"{artist} done", file=sys.stderr)
    result = result_of(found, clock=clock, seed=given.seed)
    gains = gains_of(found, seed=given.seed)
    kept = {"run": result.to_json(), "gains": {name: asdict(one) for name, one in gains.items()}}
    write_json(given.out / "scenes-position-prompts.json", kept)
    with atomic_write(given.out / "scenes-position-prompts.md") as file:
        file.write(page(result, gains).encode())
    print(page(result, gains))
    return 0


def _names(data: Path) -> list[str]:
    """Return every name of a country in English."""
    with gzip.open(data / "countries.jsonl.gz", "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    return sorted(
        {
            name
            for row in rows
            for name in (row["name"]["common"], row["name"]["official"], row.get("factbook_name"))
            if name
        }
    )


def _alike(data: Path, regions: Mapping[str, object]) -> list[list[str]]:
    groups = [[key for key in ones if key in regions] for ones in tied(data)]
    return [ones for ones in groups if ones]


if __name__ == "__main__":
    sys.exit(main())

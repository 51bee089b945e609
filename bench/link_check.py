"""A linker with pictures on mentions of countries: what flips it, and are false pictures noticed?

Question: how many decisions of the demo's linker stay when colours of the flag or facts of the
country are put into the text (`umbra link check`)? And does the conflict of words and picture tell
mentions whose flag is another country's? Mentions are those of the demo's test split in the groups
with words; each shows a flag that another artist has drawn than the base's, half of them (by hash)
that of another country drawn at random. No choice was made on them: it is one run.
Command: ``python -m bench.link_check --folder demo/.umbra --out docs/benchmarks`` after
``umbra demo examples/countries --folder demo/.umbra``; some minutes on two cores. Writes
``link-check.json`` and ``link-check.md``.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from api.cli.printing import progress_bar
from api.demo.recipe import Recipe, load_recipe
from api.engine import Engine
from api.steps.check_links import CheckReport, LinkCheck, check_links
from api.steps.open_linker import LinkerChoice
from evaluation import RunResult, auroc
from kg.files import atomic_write

DATA = Path(__file__).resolve().parents[1] / "examples" / "countries"
KINDS = ("picture_colour", "graph_attribute", "false_colour", "plain_adjective")
GROUPS = ("names", "adjectives", "capitals", "foreign", "short")


def planted(recipe: Recipe, folder: Path) -> dict[str, bool]:
    """Write mentions and their pictures into a folder; return whose picture is of another entity.

    Args:
        recipe: Names the mentions and the flags of the other artist.
        folder: Gets ``mentions.jsonl`` and ``flags/``.
    """
    with gzip.open(recipe.path(recipe.linking.mentions), "rt", encoding="utf-8") as file:
        records: list[dict[str, Any]] = [json.loads(line) for line in file]
    with np.load(recipe.path(recipe.linking.pictures), allow_pickle=False) as arrays:
        flags = dict(zip(arrays["keys"].tolist(), arrays["images"], strict=True))
    (folder / "flags").mkdir()
    for code, flag in flags.items():
        Image.fromarray(flag).save(folder / "flags" / f"{code}.png")
    alike = json.loads(recipe.path(recipe.linking.drawn_alike).read_text(encoding="utf-8"))["union"]
    swapped: dict[str, bool] = {}
    with (folder / "mentions.jsonl").open("w", encoding="utf-8") as file:
        for row in records:
            code = row["entity_id"]
            if row["split"] != "test" or row["group"] not in GROUPS or code not in flags:
                continue
            digest = hashlib.sha256(f"picture {row['id']}".encode()).digest()
            same = next((group for group in alike if code in group), [code])
            others = sorted(set(flags) - set(same))
            swapped[row["id"]] = digest[0] % 2 == 0
            shown = code
            if swapped[row["id"]]:
                shown = others[int.from_bytes(digest[1:5], "big") % len(others)]
            file.write(json.dumps({**row, "picture": f"flags/{shown}.png"}) + "\n")
    return swapped


def measured(engine: Engine, *, data: Path = DATA, most: int = 300) -> RunResult:
    """Check the linker that was trained in a folder; return the result with that of conflicts."""
    command = f"python -m bench.link_check --folder demo/.umbra --limit {most}"
    recipe = load_recipe(data)
    with tempfile.TemporaryDirectory() as name, progress_bar("checking", "passes") as progress:
        folder = Path(name)
        swapped = planted(recipe, folder)
        task = LinkCheck(
            mentions=folder / "mentions.jsonl",
            columns={"image": "picture"},
            gold=recipe.linking.gold_key,
            linker=LinkerChoice(label=recipe.linking.label),
            most=most,
        )
        report = check_links(engine, task, command=command, progress=progress)
    return replace(report.result, by={**report.result.by, "pictures": _noticed(report, swapped)})


def _noticed(report: CheckReport, swapped: Mapping[str, bool]) -> dict[str, dict[str, float]]:
    """Return how well the conflict tells the pictures of other entities from the right ones."""
    names = sorted(report.conflict_of)
    truth = np.array([swapped[name] for name in names])
    found = np.array([report.conflict_of[name] for name in names])
    flagged = {case["mention"] for case in report.cases if case["case"] == "conflict"}
    said = np.array([name in flagged for name in names])
    figures: dict[str, dict[str, float]] = {"all": {"n": len(names)}}
    if truth.any() and not truth.all():
        figures["all"]["auroc"] = float(auroc(found, truth))
    for title, rows in (("of_another_entity", truth), ("of_the_entity", ~truth)):
        if rows.any():
            figures[title] = {"n": int(rows.sum()), "flagged": float(said[rows].mean())}
    return figures


def page(result: RunResult) -> str:
    """Return the page."""
    machine, pictures = result.machine, result.by["pictures"]
    kinds = result.by["kind"]
    accuracy = 100 * result.metrics["accuracy"]
    told = (
        f"`{result.command}`, commit {result.commit}, {result.date}, {machine.cores} cores, seed "
        f"{result.seed}, {result.seconds:.0f} s. {result.n} mentions of the demo's test split with "
        "words (names, adjectives, capitals, foreign names, short ones), each with a flag that "
        "another artist has drawn, half of them another country's. Accuracy of the linker on "
        f"these, false pictures included: {accuracy:.1f} %. How they were made: "
        "`bench/link_check.py`; what the words mean: [check a linker](../check-your-links.md). "
        "Percent."
    )
    heads = (
        *("words", "n", "unchanged", "other entity", "to NIL", "from NIL", "probability"),
        *("with words", "accuracy", "with words", "MRR", "with words"),
    )
    titles = {"of_another_entity": "another country's", "of_the_entity": "its own"}
    auc = pictures["all"].get("auroc", float("nan"))
    lines = [
        "# The demo's linker put to the test",
        "",
        told,
        "",
        "## Words that add nothing",
        "",
        f"| {' | '.join(heads)} |",
        f"|{'---|' * len(heads)}",
        *(_row(name, kinds[name]) for name in KINDS if name in kinds),
        "",
        "The first two are the most harmful of three, the others are drawn by chance.",
        "",
        "## Words against the picture",
        "",
        "| picture | n | flagged |",
        "|---|---|---|",
        *(
            f"| {title} | {pictures[key]['n']} | {100 * pictures[key]['flagged']:.1f} |"
            for key, title in titles.items()
            if key in pictures
        ),
        "",
        f"AUROC of the conflict: {100 * auc:.1f}.",
        "",
    ]
    return "\n".join(lines)


def _row(name: str, values: Mapping[str, float]) -> str:
    keys = (
        *("unchanged", "other_entity", "to_nil", "from_nil", "probability_before"),
        *("probability_after", "accuracy_before", "accuracy_after", "mrr_before", "mrr_after"),
    )
    cells = [f"{100 * values[key]:.1f}" if key in values else "" for key in keys]
    return f"| {name.replace('_', ' ')} | {int(values['n'])} | {' | '.join(cells)} |"


def main(argv: Sequence[str] | None = None) -> int:
    """Check, write, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="working folder of a demo")
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks"))
    parser.add_argument("--limit", type=int, default=300, help="mentions (default 300)")
    arguments = parser.parse_args(argv)
    with Engine.open(arguments.folder) as engine:
        result = measured(engine, most=arguments.limit)
    result.save(arguments.out / "link-check.json")
    with atomic_write(arguments.out / "link-check.md") as file:
        file.write(page(result).encode())
    print(page(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The page of scene graphs: what is asked, what was measured, by which command, on which page.

Command: ``python -m bench.scenes --out docs/benchmarks``, the last step of ``make bench-scenes``.
Each bench writes a page and a result of its own; this one reads the results that are there.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kg.files import atomic_write

__all__ = ["main", "page"]

_HEAD = """# Scene graphs

Each page names its command, commit, date, machine and seeds. VRD here is annotations without
pictures (`data/scenes/vrd`): boxes and labels are given. Settings were chosen on a part of
train that is fixed by the hash of the image's name. Written by `python -m bench.scenes`, from the
results of the benches.

| goal | asked | measured | command | commit |
|---|---|---|---|---|"""

Result = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Goal:
    """One line of the table.

    Attributes:
        name: What is measured.
        asked: Floor and aim, in words.
        stem: Of the result and its page.
        figure: Reads it from the result.
    """

    name: str
    asked: str
    stem: str
    figure: Callable[[Result], str]


def _per_cent(value: float) -> str:
    return f"{100 * value:.1f}"


def _predcls(run: str, key: str) -> Callable[[Result], str]:
    """Return a reader of the mean over seeds."""
    return lambda result: _per_cent(
        np.mean([one["metrics"][key] for one in result["runs"][run]]).item()
    )


def _baseline(result: Result) -> str:
    row = result["by"]["reading"]["first, τ 0.4"]
    keys = ("recall_at_50", "mean_recall_at_50", "zero_shot_recall_at_50_unconstrained")
    return ", ".join(_per_cent(row[key]) for key in keys)


def _boosted(result: Result) -> str:
    learners = result["by"]["learner"]
    kinds = sorted({name.removesuffix(" without").removesuffix(" with") for name in learners})
    key = "mean_recall_at_50"
    gains = [
        f"{kind} {100 * (learners[f'{kind} with'][key] - learners[f'{kind} without'][key]):+.1f}"
        for kind in kinds
    ]
    return f"mR@50: {', '.join(gains)}"


def _novel(result: Result) -> str:
    found = result["by"]["novel"]
    parts = [
        f"{name} {_per_cent(found[key]['recall_at_50'])} / "
        f"{_per_cent(found[key]['mean_recall_at_50'])}"
        for name, key in (("ours", "epic"), ("text", "text"), ("chance", "chance"))
    ]
    return ", ".join(parts)


def _metrics(*keys: str) -> Callable[[Result], str]:
    return lambda result: " / ".join(_per_cent(result["metrics"][key]) for key in keys)


def _labels(result: Result) -> str:
    return _metrics("careful_macro_f1_ours", "plain_macro_f1_ours")(result)


def _roles(result: Result) -> str:
    sides = [result["by"]["method"][name] for name in ("without", "with")]
    keys = ("accuracy", "accuracy_same_class")
    return "; with: ".join(" / ".join(_per_cent(side[key]) for key in keys) for side in sides)


def _grounded(result: Result) -> str:
    phrases = result["by"]["phrases"]
    return ", ".join(
        f"{name} {_per_cent(one['ours'])} (colour {_per_cent(one['colour_only'])}, "
        f"random {_per_cent(one['random'])})"
        for name, one in phrases.items()
    )


def _speed(result: Result) -> str:
    metrics = result["metrics"]
    return (
        f"{1 / metrics['seconds_an_image_plain']:.1f} images/s; "
        f"{metrics['share_of_encoder_rate']:.2f} of the encoder's rate; "
        f"memory {100 * metrics['memory_growth']:+.1f} %"
    )


def _hostile(result: Result) -> str:
    return f"{result['n']:,} images, {_per_cent(result['metrics']['fair'])} % read or named rejects"


def _questions(result: Result) -> str:
    return f"{len(result['questions'])} questions, known and likely answers"


_GOALS = (
    _Goal(
        "1 PredCls, R@50", "≥ 52", "scenes-predcls", _predcls("network balanced", "recall_at_50")
    ),
    _Goal(
        "1 PredCls, mR@50, same model", "≥ 26, aim 32", "scenes-predcls",
        _predcls("network balanced", "mean_recall_at_50"),
    ),
    _Goal(
        "1 PredCls, zR@50 unconstrained, same model", "≥ 38, aim 43", "scenes-predcls",
        _predcls("network balanced", "zero_shot_recall_at_50_unconstrained"),
    ),
    _Goal("1 strong baseline reproduced", "52.1, 23.4, 36.9", "scenes-baseline", _baseline),
    _Goal("1 CaCao's boosting, every learner", "a gain, or said", "scenes-cacao", _boosted),
    _Goal("2 novel predicates, R@50 / mR@50", "above text and chance", "scenes-open-world", _novel),
    _Goal(
        "3 labels of flags, macro F1, unclear texts left out / not", "≥ 75, aim 88",
        "scenes-flags", _labels,
    ),
    _Goal(
        "3 colours of flags, macro F1", "≥ 90", "scenes-flags", _metrics("colours_macro_f1_ours")
    ),
    _Goal("4 phrases on flags, IoU ≥ 0.5", "above colour alone", "scenes-grounding", _grounded),
    _Goal("5 swapped roles, all / one class", "≥ 95 / ≥ 75", "scenes-roles", _roles),
    _Goal("6 speed, PNG to edges", "≥ 20/s; ≥ 0.8; flat", "scenes-speed", _speed),
    _Goal("7 hostile images", "20,000, all fair", "hostile-images", _hostile),
    _Goal("8 questions that need parts", "in docs, with pictures", "scenes-questions", _questions),
)  # fmt: skip


def page(folder: Path) -> str:
    """Return the page over the results in a folder."""
    return "\n".join([_HEAD, *(_row(goal, folder) for goal in _GOALS), "", *_pages(folder), ""])


def _row(goal: _Goal, folder: Path) -> str:
    path = folder / f"{goal.stem}.json"
    if not path.exists():
        return f"| {goal.name} | {goal.asked} | not measured yet | | |"
    result = json.loads(path.read_text(encoding="utf-8"))
    run = result if "command" in result else result["run"]
    return (
        f"| {goal.name} | {goal.asked} | [{goal.figure(result)}]({goal.stem}.md) "
        f"| `{run['command']}` | {(run['commit'] or '')[:12]} |"
    )


def _pages(folder: Path) -> list[str]:
    """List the pages, each by its title."""
    rows = []
    for path in sorted(folder.glob("scenes-*.md")):
        title = path.read_text(encoding="utf-8").split("\n", 1)[0].removeprefix("# ")
        rows.append(f"- [{title}]({path.name})")
    return rows


def main(argv: Sequence[str] | None = None) -> int:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks"))
    folder = parser.parse_args(argv).out
    text = page(folder)
    with atomic_write(folder / "scenes.md") as file:
        file.write(text.encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())

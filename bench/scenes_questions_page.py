"""The page of `bench.scenes_questions`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["page"]

_HEAD = """# Questions that need parts, on VRD's images

`{command}`, commit {commit}, {date}, {cores} cores, {gpu}, seed 0.

{images} test images of VRD as a graph: images, their objects as parts, classes, and half of the
annotated triplets as known edges (the other half is hidden, by hash). A model of relations
(`{kind}`), trained on train images and calibrated on a tenth of them that it has not seen, adds
what it finds likely, each edge with its probability. *Right* are likely answers that the whole
annotation makes true; *promised* is how many would be, by their probabilities. At random: the share
of right ones among the images that hold all the classes and are not known. A likely answer that is
not right may still be true: annotators say few of the things that they could.

| images where | known | hidden | likely, at most 20 | right | promised | right, at random |
|---|---|---|---|---|---|---|"""
_PICTURES = """
## With pictures

VRD's pictures are not at hand, so each is drawn from its annotation; in your own graph the picture
itself is there (`umbra scenes import --images FOLDER`). A part that the answer's proof rests on
is outlined.

| a known answer | a likely one |
|---|---|
| ![Known](scenes-questions-known.svg) | ![Likely](scenes-questions-likely.svg) |

## The questions

The same text runs as Cypher (`umbra cypher`: what is written, likely edges too) and as a question
(`umbra ask`: known and likely answers apart, each with its proof).
"""


def page(run: Mapping[str, Any], rows: Mapping[str, Any], texts: Mapping[str, str]) -> str:
    """Return the page.

    Args:
        run: Command, commit, date, machine, model, number of images.
        rows: Figures by question.
        texts: The questions.
    """
    gpu = run["gpu"] or "no GPU"
    lines = [_HEAD.format(**{**run, "gpu": gpu, "commit": run["commit"] or "unknown"})]
    for words, row in rows.items():
        at_random = f"{100 * row['random_share']:.0f} %"
        lines.append(
            f"| {words} | {row['known']} | {row['hidden']} | {row['likely']} "
            f"| {row['likely_right']} | {row['promised']:.1f} | {at_random} |"
        )
    total = {name: sum(row[name] for row in rows.values()) for name in next(iter(rows.values()))}
    lines.append(
        f"| **all** | {total['known']} | {total['hidden']} | {total['likely']} "
        f"| {total['likely_right']} | {total['promised']:.1f} | |"
    )
    lines.append(_PICTURES)
    for words, text in texts.items():
        lines.append(f"{words[0].upper()}{words[1:]}:\n\n```cypher\n{text}\n```\n")
    return "\n".join(lines)

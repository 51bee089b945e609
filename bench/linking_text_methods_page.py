"""The page of `bench.linking_text_methods`, written from its figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from bench.linking_text_distilled import CUTS, MATCHED, STUDENTS
from bench.linking_text_moved import KINDS
from bench.linking_text_strangers import BASELINES, DECISIONS
from bench.linking_text_training import VARIANTS

__all__ = ["page"]

Row = Mapping[str, Any]

_HEAD = """# Methods of matching, on texts

`python -m bench.linking_text_methods`. The methods that [their page](linking-methods.md) measures
on drawings, on the valid mentions of WikiDiverse and Wikidata-MEL; test is not read. The base is
40,248 entities that have a name and nothing else; vectors are the packaged MiniLM's. In brackets
the gain in points, with the 95 % interval of a paired bootstrap over mentions (means over seeds).
Under each table stands whether its rule is met; a method that does not pay stays an option, off.
"""
_MOVED = """## LocalAdj under the trees of the linker

As a search by vectors alone, LocalAdj gains on both sets ([the other page](linking-methods.md)).
Here the names are pushed so (`linkers.inverse_convolution`) in the index of the linker of texts,
by at most 2,000 mentions of a fifth of the training documents; its trees learn from the rest, which
they do for the row without, too. *R@64*: found among the candidates.
"""
_TRAINING = """## TCL's terms and FILIP's late interaction in the training of the network

`linkers.triple_contrast`, settings `view` and `local`, weights 0.2, three views with 15 % of the
words left out; `linkers.late_interaction`, setting `parts`. Everything else is as the linker has
it: the global vectors alone, from the cosine. TCL's terms stay off unless drawings by unseen
artists gain 0.5, which they do not ([0.2 at best](linking-methods.md)), and WikiDiverse does not
lose 0.3; late interaction stays off unless it gains 0.5 and a mention takes less than 1.2 times as
long. *ms*: processor milliseconds a mention, ranked in
two stages, of which the second looks at 512 entities.
"""
_STRANGERS = """## CREST's evidence and NegLabel's foreign words, a fifth of the entities gone

The fifth is drawn by SHA-256 of the key; names, aliases and links go with it, and the mentions that
mean it are NIL. Decisions learn on four fifths of the training documents and are calibrated on the
rest. *The same*: n-grams of letters, MiniLM's cosine of words and of text with a name, and the
prior of the surface, for each of the linker's at most 64 candidates. *The linker's decision*: its
trees, and the forests that say how sure a list is (`linkers.boosted.verdict`); marks are what these
forests see besides. Opinions are `linkers.opinions`, compared with the calibrated logistic; marks
are compared with the same decision without. Foreign words: words of the training texts that stand
in no name, the 15 % least like the names, 2,000 at most (`linkers.foreign_words`). Top similarity,
margin and MCM rest on MiniLM's cosine of words and name, their thresholds on the held part.
H@1 of those whose entity is there; *risk*: area under the risk-coverage curve, lower is better;
*strangers kept*: share of NIL that passes where 95 % of the others do, lower is better too.
"""
_DISTILLED = """## DCD's distillation of the network into a search

`linkers.distillation`, setting `student`. The teacher is the linker's network; what it says of a
training mention is by a network of the other half of the documents. A student searches by one
vector of 96 numbers a side. *Union*: the student's list and that of the linker's other sources
(memory, names, letters, words), in turn. *Matched*: the teacher's first among what the student
found. Gains are over the student of plain InfoNCE. Distillation stays off unless R@16 gains 1.0.
H@1 is hardly lower at 16 than at 64, by any student: but here the network is a search by vectors
itself (global to global, no picture), so a shorter list would save nothing.
*A second*: mentions searched among 40,248 a second of one processor.
"""
_MARKS = {
    "networks, ignorance and conflict as marks": 0.3,
    "the linker's, ignorance and conflict as marks": 0.3,
    "the linker's, foreign words as a mark": 0.5,
}
"""What NIL's AUROC must gain."""
_WANTED = {
    "moved": ("wikidiverse", "wikidata-mel"),
    "training": ("wikidiverse",),
    "strangers": ("wikidiverse", "wikidata-mel"),
    "distilled": ("wikidiverse", "wikidata-mel"),
}
"""Sets that each part is for."""
_NAMES = {"wikidiverse": "WikiDiverse", "wikidata-mel": "Wikidata-MEL"}


def page(kept: Mapping[str, Any]) -> str:
    """Return the page.

    Args:
        kept: What the bench wrote.
    """
    parts: list[tuple[str, str, Callable[[Mapping[str, Row]], list[str]]]] = [
        ("moved", _MOVED, _moved),
        ("training", _TRAINING, _training),
        ("strangers", _STRANGERS, _strangers),
        ("distilled", _DISTILLED, _distilled),
    ]
    lines = [_HEAD]
    for part, note, table in parts:
        lines.append(note)
        runs = kept.get(part, {})
        for name in (n for n in _NAMES if n in runs):
            lines += [*_run(name, runs[name]), *table(runs[name]["rows"]), ""]
        missing = [_NAMES[name] for name in _WANTED[part] if name not in runs]
        if missing:
            lines.append(f"Not measured so far: {' and '.join(missing)}.\n")
    return "\n".join(lines).rstrip() + "\n"


def _run(name: str, run: Row) -> list[str]:
    count = next(row["mentions"] for row in run["rows"].values() if "mentions" in row)
    drawn = f", {run['mentions']:,} training mentions" if run["mentions"] else ""
    seeds = ", ".join(map(str, run["seeds"]))
    where = f"{run['date']}, {run['machine']['cores']} cores; {count:,} mentions{drawn}"
    return [f"### {_NAMES[name]}\n", f"Commit {run['commit']}, {where}; seeds {seeds}.\n"]


def _lines(heads: list[str], rows: list[list[str]]) -> list[str]:
    return [
        f"| {' | '.join(heads)} |",
        f"|{'---|' * len(heads)}",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]


def _gain(values: list[float]) -> str:
    return "({:+.1f} [{:+.1f}, {:+.1f}])".format(*values)


def _pays(gain: list[float], wanted: float) -> str:
    """Return whether a gain is as large as it must be, and beyond chance."""
    return "**pays**" if gain[0] >= wanted and gain[1] > 0 else "does not pay"


def _moved(rows: Mapping[str, Row]) -> list[str]:
    found = []
    for name, row in ((name, rows[name]) for name in KINDS):
        gain = "" if name == KINDS[0] else f" {_gain(row['gain'])}"
        own = [name, f"{row['hits_at_1']:.1f}{gain}"]
        found.append([*own, f"{row['mrr']:.1f}", f"{row['recall']:.1f}"])
    gain = rows[KINDS[1]]["gain"]
    told = f"By its rule (0.5 of H@1) LocalAdj {_pays(gain, 0.5)} here."
    return [*_lines(["", "H@1", "MRR", "R@64"], found), "", told]


def _training(rows: Mapping[str, Row]) -> list[str]:
    found = []
    for name, row in ((name, rows[name]) for name in VARIANTS if name in rows):
        hits = row["hits_at_1"]
        spread = f" ± {np.std(hits, ddof=1):.1f}" if len(hits) > 1 else ""
        gain = "" if name == next(iter(VARIANTS)) else f" {_gain(row['gain'])}"
        own = [name, f"{np.mean(hits):.1f}{spread}{gain}", f"{row['mrr']:.1f}"]
        found.append([*own, f"{row['milliseconds']:.1f}", str(row["seeds"])])
    told = [f"Not measured so far: {', '.join(name for name in VARIANTS if name not in rows)}."]
    told = told if len(rows) < len(VARIANTS) else []
    plain = rows[next(iter(VARIANTS))]
    for name in (name for name in ("global and late", "late alone") if name in rows):
        quick = rows[name]["milliseconds"] < 1.2 * plain["milliseconds"]
        verdict = _pays(rows[name]["gain"], 0.5) if quick else "takes too long to pay"
        told.append(f"By its rule {name} {verdict} here.")
    return [*_lines(["", "H@1", "MRR", "ms", "seeds"], found), "", *told]


def _strangers(rows: Mapping[str, Row]) -> list[str]:
    heads = {
        "hits_at_1": "H@1",
        "auroc": "NIL's AUROC",
        "f1": "NIL's F1",
        "kept": "strangers kept",
        "ece_nil": "ECE of NIL",
        "ece_links": "ECE of links",
        "risk": "risk",
    }
    found = []
    for name in (*BASELINES, *DECISIONS):
        row, own = rows[name], [name]
        for key in heads:
            gain = f" {_gain(row[f'{key}_gain'])}" if f"{key}_gain" in row else ""
            own.append(f"{row[key]:.1f}{gain}" if key in row else "–")
        found.append(own)
    told = [
        f"- {name}: NIL's AUROC {_gain(rows[name]['auroc_gain'])[1:-1]}, {wanted} wanted: it "
        f"{_pays(rows[name]['auroc_gain'], wanted)}."
        for name, wanted in _MARKS.items()
    ]
    alone = rows["opinions alone"]
    better = alone["risk_gain"][2] < 0 and alone["hits_at_1_gain"][0] >= -0.2
    verdict = "**pays**" if better else "does not pay"
    told.append(f"- Opinions alone, less risk wanted at the H@1 of the logistic: it {verdict}.")
    return [*_lines(["%", *heads.values()], found), "", *told]


def _distilled(rows: Mapping[str, Row]) -> list[str]:
    keys = {f"recall {cut}": f"R@{cut}" for cut in CUTS}
    keys |= {f"union {cut}": f"union R@{cut}" for cut in CUTS}
    keys |= {f"matched {count}": f"H@1, matched {count}" for count in MATCHED}
    found = []
    for name in (name for name in STUDENTS if name in rows):
        own = [name]
        for value, *gain in (rows[name][key] for key in keys):
            own.append(f"{value:.1f}" + ("" if name == "InfoNCE" else f" {_gain(gain)}"))
        found.append([*own, f"{rows[name]['a_second']:,.0f}"])
    teacher = rows["InfoNCE"]["teacher"]
    gain = rows["dynamic distillation"]["recall 16"][1:]
    rule = f"By its rule distillation {_pays(gain, 1.0)} here."
    told = f"The teacher alone, over all entities: H@1 {teacher:.1f}. {rule}"
    return [*_lines(["student", *keys.values(), "a second"], found), "", told]

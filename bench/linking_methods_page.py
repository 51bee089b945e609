"""The page of `bench.linking_methods`, written from its figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.linking_methods_banks import BANKS_NOTE, banks_table
from bench.linking_methods_distilled import DISTILLED_NOTE, distilled_table
from bench.linking_methods_foreign import FOREIGN_NOTE, foreign_table
from bench.linking_methods_insertions import INSERTIONS_NOTE, insertions_table
from bench.linking_methods_late import (
    COSINE_NOTE,
    LATE_NOTE,
    TIMES_NOTE,
    cosine_table,
    late_table,
    times_table,
)
from bench.linking_methods_neighbours import NEIGHBOURS_NOTE, neighbours_table
from bench.linking_methods_opinions import OPINIONS_NOTE, opinions_table
from bench.linking_methods_tokens import tokens_table
from bench.linking_methods_views import VIEWS_NOTE, variants_table

__all__ = ["page"]

_HEAD = """# Methods of matching

`python -m bench.linking_methods`. First a search by vectors alone, nothing trained: what taking
hubs off is worth there, and comparing tokens; then what methods of training add. Test is not read.

DBNorm's banks are `linkers.hub_banks`, InvGC and LocalAdj are
`linkers.inverse_convolution`; a bank mention never counts against its own entity.
H@1, MRR and R@64 in per cent over all entities; *skewness* of how often an entity is among the
first ten, which is high where few entities are near to everybody. Gains in H@1 with the 95 %
interval of a paired bootstrap over mentions.

The linker of drawings takes hubs off the weighed sum of all its units by the bank of mentions,
which is measured [on its page](linking-pictures.md); `VisualConfig(hub_banks="mentions and
entities")` adds the second bank. No default rests on this page: on drawings the bank of mentions
alone gains most and a bank of entities adds nothing to it; on texts banks lose, LocalAdj alone
gains (0.6 and 1.1 points of H@1, R@64 not lower), and tokens that nothing trained do not. No linker
searches texts by vectors alone: under the trees that link them LocalAdj adds nothing ([page of
texts](linking-text-methods.md)). Of the methods of training FILIP's late interaction beside wholes
gains on drawings, 1.9 points for unseen artists; in place of wholes it loses. It stays off by its
rule, which allows 1.2 times the time: from vectors, as speed is told everywhere here, a mention
takes more than twice as long (on texts 1.6 times), and an entity 1.6 times the memory. Of the whole
way from a picture that is 1.1 times, since its encoding takes far longer; but `parts` holds for
texts, too, and in a network that begins as the cosine, as that of a linker does, what it adds is
within chance (+2.0 [-0.9, +5.2]). The others do not pay: TCL's terms change nothing beyond chance;
colours put before keywords cost two points, and training with them gives half back where they are
and takes half a point elsewhere; a bank of 500 mentions serves as the whole; opinions, alone, rank
worse than the decision's networks and, as marks, add nothing; the hard rivals of a teacher that is
right of one in four cost the student recall, and without them its word changes nothing. NIL is
hardly told at all on drawings, by whatever is tried.

TCL's terms, FILIP's units, opinions, foreign words and DCD's students on texts have
[their own page](linking-text-methods.md). The network's text unit alone finds 83.7 of WikiDiverse's
valid mentions first ([its page](linking-m3el.md)); what links texts are trees over names, which
find 97.7 of the entities among 64 ([its page](linking.md)).
"""
_TITLES = {
    "noto": "Drawings by Noto among 1,636 by OpenMoji, outlines and colours",
    "twemoji": "Drawings by Twemoji among 1,636 by OpenMoji, outlines and colours",
    "texts": "WikiDiverse's valid surfaces among 40,248 names, MiniLM",
    "texts-mel": "Wikidata-MEL's valid surfaces among 40,248 names, MiniLM",
    "banks": "How large the bank has to be, drawings",
    "neighbours": "Neighbours of an entity before and after InvGC and LocalAdj",
    "tokens": "FILIP's late interaction: tokens of the nearest 16 names compared",
    "views": "TCL's terms in the training of the matching network, drawings",
    "late": "FILIP's late interaction in the training of the matching network, drawings",
    "late-cosine": "FILIP's late interaction in a network that begins as the cosine, drawings",
    "late-times": "What late interaction costs, drawings",
    "insertions": "XMAI's attribute insertions, drawings with keywords",
    "opinions": "CREST's evidence and ignorance in the decision, drawings",
    "foreign": "NegLabel's foreign words in the decision, drawings",
    "distilled": "DCD's distillation of the matching network into a search, drawings",
}
_TABLES = {
    "banks": banks_table,
    "neighbours": neighbours_table,
    "tokens": tokens_table,
    "views": variants_table,
    "late": late_table,
    "late-cosine": cosine_table,
    "late-times": times_table,
    "insertions": insertions_table,
    "opinions": opinions_table,
    "foreign": foreign_table,
    "distilled": distilled_table,
}
_UNTRAINED = {"banks", "neighbours", "late-times", "insertions"}  # by no epochs
_NOTES = {
    "banks": [BANKS_NOTE],
    "neighbours": [NEIGHBOURS_NOTE],
    "views": [VIEWS_NOTE],
    "late": [LATE_NOTE],
    "late-cosine": [COSINE_NOTE],
    "late-times": [TIMES_NOTE],
    "insertions": [INSERTIONS_NOTE],
    "opinions": [OPINIONS_NOTE],
    "foreign": [FOREIGN_NOTE],
    "distilled": [DISTILLED_NOTE],
}


def page(kept: Mapping[str, Any]) -> str:
    """Return the page.

    Args:
        kept: What the bench wrote.
    """
    return "\n".join([_HEAD, *(_part(name, kept[name]) for name in _TITLES if name in kept)])


def _part(name: str, part: Mapping[str, Any]) -> str:
    machine, methods = part["machine"], part["methods"]
    count = next(iter(methods.values()))["mentions"]
    if name in _TABLES:
        told = name in _NOTES and name not in _UNTRAINED and "epochs" in part
        trained = f", `--epochs {part['epochs']}`" if told else ""
        where = f"{part['date']}, {machine['cores']} cores; {count:,} mentions{trained}.\n"
        head = [f"## {_TITLES[name]}\n", *_NOTES.get(name, []), f"Commit {part['commit']}, {where}"]
        return "\n".join([*head, *_TABLES[name](methods)]) + "\n"
    rivals = list(next(iter(methods.values()))["gains"])
    heads = ["", "H@1", "MRR", "R@64", "skewness", *(f"gain over {rival}" for rival in rivals)]
    where = f"{part['date']}, {machine['cores']} cores; {count:,} mentions.\n"
    lines = [
        f"## {_TITLES[name]}\n",
        f"Commit {part['commit']}, {where}",
        f"| {' | '.join(heads)} |",
        f"|{'---|' * len(heads)}",
    ]
    for method, row in sorted(methods.items(), key=lambda pair: -pair[1]["hits_at_1"]):
        gains = [
            "" if rival == method else "{:+.1f} [{:+.1f}, {:+.1f}]".format(*row["gains"][rival])
            for rival in rivals
        ]
        figures = [f"{row[key]:.1f}" for key in ("hits_at_1", "mrr", "recall_at_64", "skewness")]
        lines.append(f"| {' | '.join([method, *figures, *gains])} |")
    return "\n".join(lines) + "\n"
